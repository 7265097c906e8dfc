# Textos da página de pagamento. Só variáveis simples, sem seletores.

## Quadro

skip = Ir para o conteúdo
page-title = Pagamento a {$shop}
page-title-store = Cadastro de cartão em {$shop}
page-title-error = Erro: {$title}
sandbox = Modo de teste: aqui nenhum dinheiro é movimentado
languages = Idioma
by = Página de pagamento do Cobro
left-minutes = Restam {$minutes} min
left-label = Tempo restante para pagar
left-until = Válido até as {$time}
left-soon = Resta um minuto para pagar.
over = O tempo acabou

## Resumo

order = Resumo
order-total = Total a pagar
order-left = Falta pagar
order-paid = Já pago
order-store = Um cartão será salvo
order-store-lead = Hoje nada é cobrado.
order-reference = Referência

## Formulário

form-pay = Pague com cartão
form-store = Cadastre seu cartão
section-amount = Quanto você paga agora
section-card = Cartão
section-payer = Seus dados
amount-all = Tudo o que falta
amount-part = Uma parte
amount = Valor que paga agora
number = Número do cartão
expiration = Validade
expiration-hint = MM/AA
cvv = Código CVV
cvv-back = 3 dígitos no verso
cvv-front = 4 dígitos na frente
name = Nome como está no cartão
document-type = Tipo de documento
document = Número do documento
email = E-mail
email-hint = Receba ali notícias do pagamento
mobile = Celular
optional = opcional
installments = Parcelas
installments-one = 1 parcela
installments-many = {$count} parcelas
save-store = Autorizo {$shop} a salvar este cartão e a fazer com ele as cobranças que combinarmos.
save-offer = Salvar este cartão para minhas próximas compras em {$shop}.
save-hint = O número é guardado criptografado; o código de segurança nunca é guardado.
pay = Pagar {$amount}
pay-part = Pagar
store = Salvar cartão
cancel = Não quero continuar
working = Processando…
known = Dados enviados pela loja

## Cartões de teste

cards = Cartões de teste
cards-lead = Preenchem o formulário com um cartão publicado para testes.
behaviour-approved = Aprova
behaviour-challenged = Pede código
behaviour-declined = Recusa
behaviour-pending-approved = Pendente, depois aprova
behaviour-pending-declined = Pendente, depois recusa

## Erros

errors = Revise estes dados
fault-amount = Digite um valor, por exemplo {$example}.
fault-amount-too-much = O valor é maior do que falta: {$amount}.
fault-number-missing = Digite o número do cartão.
fault-number = O número não é o de um cartão: revise os dígitos.
fault-number-not-test = No modo de teste só se aceitam cartões de teste publicados. Este não foi salvo nem usado.
fault-number-not-taken = Esta loja não aceita esta bandeira de cartão.
fault-expiration-missing = Digite a validade do cartão.
fault-expiration = Digite a validade como mês e ano: MM/AA.
fault-expiration-past = O cartão está vencido.
fault-cvv-missing = Digite o código de segurança.
fault-cvv = O código não tem o tamanho desta bandeira: revise os dígitos.
fault-name-missing = Digite o nome como está no cartão.
fault-name = Digite um nome, sem números de cartão.
fault-document-type = Escolha o tipo de documento.
fault-document-missing = Digite o número do documento.
fault-document = O número não tem a forma deste documento.
fault-email-missing = Digite seu e-mail.
fault-email = Digite um e-mail completo, por exemplo nome@correio.com.
fault-mobile = Digite pelo menos sete dígitos.
fault-installments = Escolha um número de parcelas da lista.
fault-save = Sem sua autorização o cartão não pode ser salvo.
no-answer = Não houve resposta. Revise sua conexão; antes de pagar outra vez, esta página vai verificar o que aconteceu.
forged = A página estava desatualizada. Nenhum cartão foi usado: tente outra vez.
challenge-late = O tempo para confirmar acabou e o cartão foi esquecido. Digite-o outra vez.

## Recusas

declined = O pagamento não passou
declined-card = {$brand} com final {$digits}
declined-store = O cartão não foi salvo
attempts-left = Tentativas restantes: {$count}
decline-generic = Seu banco não autorizou o pagamento. Tente com outro cartão.
decline-insufficient_funds = O cartão não tem limite ou saldo suficiente.
decline-call_issuer = Seu banco pede que você ligue para autorizar o pagamento.
decline-security_code = O código de segurança não confere.
decline-expired = O cartão está vencido ou a data não confere.
decline-bad_form = Algum dado do cartão não confere.
decline-card_number = O banco não reconhece o número do cartão.
decline-inactive = O cartão não está ativo. Seu banco pode ativá-lo.
decline-installments = Este cartão não permite esse número de parcelas.
decline-duplicate = Há um momento foi feito um pagamento igual.
decline-restricted = O cartão não serve para este tipo de pagamento.
decline-kind_not_accepted = Aqui não se aceita este tipo de cartão.
decline-too_many_tries = Houve tentativas demais com este cartão.
decline-blocked = O cartão está bloqueado. Fale com seu banco.
decline-brand_not_supported = Aqui não se aceita esta bandeira de cartão.
decline-amount_rule = O valor supera o que seu banco permite.
decline-high_risk = O pagamento foi recusado por segurança: não foi possível confirmar que você é o titular.
decline-authentication = O pagamento foi recusado: o código do seu banco estava errado ou não chegou.
decline-failed = O pagamento não pôde ser processado. Nada foi cobrado.

## Confirmação do titular

challenge = Confirme que é você
challenge-lead = Seu banco quer verificar se você é o titular antes de usar este cartão.
challenge-card = Cartão
otp = Código de uso único
otp-hint = No modo de teste, 12345 confirma; qualquer outro código recusa.
fault-otp = Digite o código que seu banco enviou.
confirm = Confirmar
other-card = Usar outro cartão

## Resultado

approved = Pagamento aprovado
approved-lead = {$shop} já recebeu a confirmação.
held = Pagamento autorizado
held-lead = O dinheiro está reservado; {$shop} vai cobrá-lo mais tarde.
stored = Cartão salvo
stored-lead = {$shop} pode fazer com ele as cobranças que você autorizou.
waiting = Pagamento em andamento
waiting-lead = Seu banco ainda não respondeu. Não pague outra vez: esta página muda sozinha quando houver resposta.
ended-payer = Você cancelou
ended-payer-lead = Nada foi cobrado.
ended-merchant = A loja cancelou este pagamento
ended-merchant-lead = Esta página não está mais disponível.
ended-expired = O tempo acabou
ended-expired-lead = Esta página não está mais disponível. Volte à loja para começar outra vez.
ended-declined = Pagamento recusado
ended-declined-lead = O pagamento não foi feito. Volte à loja para tentar novamente.
ended-attempts = Não restam tentativas
ended-attempts-lead = Houve tentativas falhas demais. Volte à loja para começar outra vez.
ended-partial = Uma parte foi paga
ended-partial-lead = O tempo acabou ou o restante foi cancelado. O que foi pago fica pago; fale com a loja sobre o resto.
unknown = Esta página não existe
unknown-lead = Revise se o endereço está completo, ou volte à loja para começar outra vez.
fault-inside = Algo falhou do nosso lado
fault-inside-lead = Não se sabe se o pagamento foi feito. Recarregue a página antes de tentar outra vez.
receipt = Comprovante
receipt-waiting = Detalhe do pagamento
receipt-shop = Estabelecimento
receipt-amount = Valor
receipt-card = Cartão
receipt-card-value = {$brand} com final {$digits}
receipt-date = Data
receipt-authorization = Autorização
receipt-number = Recibo
receipt-installments = Parcelas
print = Imprimir
back = Voltar à loja
