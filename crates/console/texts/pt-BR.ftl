# Textos do console e da maquininha virtual. Só variáveis simples, sem seletores.

## Page frame

skip = Ir para o conteúdo
nav = Seções
nav-home = Início
nav-terminals = Maquininhas
nav-events = Eventos
nav-requests = Requisições
nav-deliveries = Notificações
nav-ledger = Livro contábil
live = Ao vivo
live-connecting = Conectando
live-lost = Reconectando
needs-script = Esta página precisa de JavaScript.
foot-sandbox = Ambiente de testes: aqui não circula dinheiro
unreachable = O servidor não respondeu. O Cobro continua em execução?
copy = Copiar
copied = Copiado
more = Ver mais
close = Fechar
world = Mundo
online = On-line
offline = Sem conexão

## First page

home-title = Cobre na sua própria máquina
home-lead = O Cobro responde como os provedores de pagamento que o seu programa já conhece: mesma API, mesmas notificações assinadas e uma maquininha que se usa no navegador ou em um teste.
home-open-terminals = Abrir as maquininhas
home-api = Referência da API
home-all-terminals = Ver lado a lado
home-snippet = A primeira cobrança
home-snippet-lead = Cole isto em um terminal. O endereço e as credenciais já são os deste servidor.
home-step-create = Crie a intenção de pagamento com o trecho.
home-step-green = Abra a maquininha e pressione a tecla verde: o valor aparece.
home-step-card = Aproxime o cartão. O resultado, o comprovante e a notificação chegam em seguida.
home-credentials = Credenciais
home-credentials-lead = São fixas e só valem neste ambiente de testes.
credential-token = Access token
credential-user = Usuário
credential-integrator = Token integrador
credential-terminal = Maquininha
credential-application = Aplicação
credential-webhook = Assinatura webhook
credential-key = API key
credential-secret = Secret
credential-cashier = Operador
credential-login = Login
credential-secret-key = Secret key
credential-currencies = Moedas
clock = Relógio deste mundo
clock-advance = Adiantar
clock-minute = 1 min
clock-ten-minutes = 10 min
clock-hour = 1 h
clock-day = 1 dia
clock-due = Vencimentos cumpridos:

## Terminals

terminals-lead = Todas as maquininhas deste mundo. O teclado age sobre a que está com o ponteiro ou o foco.
terminals-none = Este mundo não tem maquininhas.
terminal-virtual = Maquininha virtual
terminal-about = Estado e ajustes da maquininha
keypad = Teclado
key-green = Verde: cobrar ou confirmar
key-yellow = Amarela: apagar ou voltar
key-red = Vermelha: cancelar
flow = Intenção de pagamento
flow-none = Ainda não há nenhuma. Crie a partir do seu PDV ou com o formulário abaixo.
flow-id = Identificador
state-open = Aguardando a maquininha
state-on-terminal = A maquininha recebeu e aguarda um cartão
state-processing = Consultando a instituição financeira
state-processed = Há resposta e está na tela
state-finished = Concluída
state-canceled = Cancelada
state-abandoned = Expirou sem um cartão
state-error = Falhou
state-confirmation = Terminou sem status de pagamento: confira a maquininha
charge = Cobrança de teste
charge-lead = Esta página faz o papel do PDV e usa a API do provedor.
charge-amount = Valor
charge-send = Enviar
charge-bad-amount = Escreva um valor, por exemplo 15,00
settings = Ajustes
settings-online = On-line
settings-online-hint = Sem conexão não recebe nem cobra.
settings-pdv = Modo PDV
settings-pdv-hint = Recebe as cobranças do ponto de venda.
settings-autopilot = Piloto automático
settings-autopilot-hint = Cobra sozinha, sem ninguém tocar em nada.
shortcuts = Teclado
shortcut-green = tecla verde
shortcut-red = tecla vermelha
shortcut-yellow = tecla amarela
shortcut-card = cartão

## Card

card-tap = Cartão: aproximar da maquininha
card-hint = Arraste o cartão até o leitor, a fenda de baixo ou a borda direita.
card-entries = Apresentar o cartão
card-entry-tap = Aproximar
card-entry-insert = Inserir
card-entry-swipe = Passar
card-picker = Cartão
card-default = Aprova, ou conforme o valor
card-published = Cartões de teste publicados
card-by-holder = Pelo nome do titular
card-holder = Cartão de teste
card-credit = Crédito
card-debit = Débito
card-prepaid = Pré-pago
card-voucher = Voucher
holder-apro = aprovado
holder-othe = recusa geral
holder-fund = saldo insuficiente
holder-call = pede autorização
holder-secu = código incorreto
holder-expi = validade incorreta
holder-form = dados incorretos
holder-cont = pendente

## The terminal's screen

screen-idle = Pronta para cobrar
screen-idle-hint = Aguardando uma cobrança do caixa
screen-previous = Última operação
screen-queued = Há uma cobrança em espera
screen-queued-hint = Pressione a tecla verde
screen-queued-many = Escolha pelo número, ou verde para a primeira
screen-total = Total a pagar
screen-present = Aproxime, insira ou passe o cartão
screen-processing = Processando
screen-wait = Um momento, por favor
screen-keep-card = Não retire o cartão
screen-authorization = Aut. {$code}
screen-print = Imprimir o comprovante?
screen-offline = Sem conexão
screen-offline-hint = As cobranças aguardam até a rede voltar
screen-standalone = Modo autônomo
screen-standalone-hint = As cobranças do PDV não chegam a esta maquininha
soft-fetch = Buscar cobrança
soft-charge = Cobrar
soft-cancel = Cancelar
soft-done = Pronto
soft-print = Imprimir
soft-no-receipt = Não
notice-nothing = Não há cobranças em espera
notice-green-first = Primeiro a tecla verde
notice-present = Apresente o cartão
notice-offline = Sem conexão

## Results

outcome-approved = Aprovado
outcome-approved-hint = Obrigado
outcome-rejected = Recusado
outcome-rejected-hint = O cartão foi recusado
outcome-reversed = Estornado
outcome-reversed-hint = A cobrança foi anulada e nada é debitado
outcome-error = Erro
outcome-error-hint = Não foi possível concluir a operação
outcome-pending = Pendente
outcome-pending-hint = O resultado chega mais tarde
outcome-challenge = Falta verificar
outcome-challenge-hint = O titular precisa confirmar o pagamento
outcome-canceled = Cancelado
outcome-canceled-hint = Nada foi cobrado
outcome-abandoned = Tempo esgotado
outcome-abandoned-hint = Nenhum cartão foi apresentado
outcome-confirmation = Confirme o pagamento
outcome-confirmation-hint = Verifique antes de entregar
reason-other = A instituição recusou o pagamento
reason-funds = Saldo insuficiente
reason-call = O titular deve autorizar o pagamento
reason-code = Código de segurança incorreto
reason-expired = Validade incorreta
reason-form = Dados do cartão incorretos
reason-risk = Recusado por segurança
reason-disabled = Cartão desabilitado

## Receipt

receipt = Comprovante
receipt-open = Ver o comprovante completo
receipt-take = Retirar
receipt-sale = Comprovante de venda
receipt-no-charge = Não foi cobrado
receipt-date = Data
receipt-terminal = Terminal
receipt-card = Cartão
receipt-type = Tipo
receipt-entry = Leitura
receipt-entry-tap = Aproximação
receipt-entry-insert = Chip
receipt-entry-swipe = Tarja
receipt-authorization = Autorização
receipt-operation = Operação
receipt-copy = Via do cliente
receipt-sandbox = Teste. Documento sem valor fiscal.

## Journals

journal-empty = Ainda não há nada. O que acontecer aparece aqui na hora.
events-lead = O que aconteceu neste mundo, o mais novo primeiro.
requests-lead = O que os programas pediram e o que receberam, sem os segredos.
deliveries-lead = Cada tentativa de avisar um webhook, com a resposta. Qualquer uma pode ser repetida.
column-time = Hora
column-kind = Evento
column-subject = Sobre
column-merchant = Estabelecimento
column-dialect = Dialeto
column-status = Status
column-request = Requisição
column-duration = Duração
column-state = Estado
column-url = Endereço
column-answer = Resposta
column-attempt = Tentativa
column-next = Próximo
column-action = Ação
delivery-waiting = Em espera
delivery-delivered = Entregue
delivery-failed = Falhou
delivery-exhausted = Esgotada
replay = Repetir
replayed = Enviando de novo
detail-data = Dados
detail-event = Evento
detail-request = Requisição
detail-answer = Resposta
detail-headers = Cabeçalhos
detail-body = Corpo
detail-no-body = (sem corpo)
detail-no-answer = Ainda sem resposta.

## Ledger

ledger-lead = Partidas dobradas: a soma de todas as contas de uma moeda é zero.
ledger-balances = Saldos
ledger-postings = Últimos lançamentos
ledger-account = Conta
ledger-balance = Saldo
ledger-sum = Soma
ledger-balanced = Fecha
ledger-unbalanced = Não fecha
ledger-empty = Ainda não há lançamentos.
