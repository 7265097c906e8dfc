# Textos de la consola y de la terminal virtual. Solo variables simples, sin selectores.

## Page frame

skip = Ir al contenido
nav = Secciones
nav-home = Inicio
nav-terminals = Terminales
nav-events = Eventos
nav-requests = Solicitudes
nav-deliveries = Notificaciones
nav-ledger = Libro contable
live = En vivo
live-connecting = Conectando
live-lost = Reconectando
needs-script = Esta página necesita JavaScript.
foot-sandbox = Entorno de pruebas: aquí no se mueve dinero
unreachable = No hay respuesta del servidor. ¿Cobro sigue en marcha?
copy = Copiar
copied = Copiado
more = Ver más
close = Cerrar
world = Mundo
online = En línea
offline = Sin conexión

## First page

home-title = Cobre en su propia máquina
home-lead = Cobro responde como los proveedores de pago que su programa ya conoce: misma API, mismas notificaciones firmadas y una terminal que se maneja desde el navegador o desde una prueba.
home-open-terminals = Abrir las terminales
home-api = Referencia de la API
home-all-terminals = Verlas una al lado de otra
home-snippet = El primer cobro
home-snippet-lead = Pegue esto en una consola. La dirección y las credenciales ya son las de este servidor.
home-step-create = Cree la intención de pago con el fragmento.
home-step-green = Abra la terminal y presione la tecla verde: aparece el importe.
home-step-card = Acerque la tarjeta. El resultado, el comprobante y la notificación llegan enseguida.
home-credentials = Credenciales
home-credentials-lead = Son fijas y solo sirven en este entorno de pruebas.
credential-token = Access token
credential-user = Usuario
credential-integrator = Token integrador
credential-terminal = Terminal
credential-application = Aplicación
credential-webhook = Firma de webhooks
credential-key = API key
credential-secret = Secret
credential-cashier = Cajero
credential-login = Login
credential-secret-key = Secret key
credential-currencies = Monedas
clock = Reloj de este mundo
clock-advance = Adelantar
clock-minute = 1 min
clock-ten-minutes = 10 min
clock-hour = 1 h
clock-day = 1 día
clock-due = Vencimientos cumplidos:

## Terminals

terminals-lead = Todas las terminales de este mundo. El teclado actúa sobre la que tiene el puntero o el foco.
terminals-none = Este mundo no tiene terminales.
terminal-virtual = Terminal virtual
terminal-about = Estado y ajustes de la terminal
keypad = Teclado
key-green = Verde: cobrar o aceptar
key-yellow = Amarilla: borrar o volver
key-red = Roja: cancelar
flow = Intención de pago
flow-none = Todavía no hay ninguna. Créela desde su punto de venta o con el formulario de abajo.
flow-id = Identificador
state-open = En espera de la terminal
state-on-terminal = La terminal la tomó y espera una tarjeta
state-processing = Se consulta a la entidad financiera
state-processed = Hay respuesta y está en pantalla
state-finished = Terminada
state-canceled = Cancelada
state-abandoned = Venció sin una tarjeta
state-error = Falló
state-confirmation = Terminó sin estado de pago: revise la terminal
charge = Cobro de prueba
charge-lead = Esta página hace de punto de venta y usa la API del proveedor.
charge-amount = Importe
charge-send = Enviar
charge-bad-amount = Escriba un importe, por ejemplo 15,00
settings = Ajustes
settings-online = En línea
settings-online-hint = Sin conexión no recibe ni cobra.
settings-pdv = Modo PDV
settings-pdv-hint = Recibe los cobros del punto de venta.
settings-autopilot = Piloto automático
settings-autopilot-hint = Cobra sola, sin que nadie toque nada.
shortcuts = Teclado
shortcut-green = tecla verde
shortcut-red = tecla roja
shortcut-yellow = tecla amarilla
shortcut-card = tarjeta

## Card

card-tap = Tarjeta: acercar a la terminal
card-hint = Arrastre la tarjeta al lector, a la ranura de abajo o al borde derecho.
card-entries = Presentar la tarjeta
card-entry-tap = Acercar
card-entry-insert = Insertar
card-entry-swipe = Deslizar
card-picker = Tarjeta
card-default = Aprueba, o según el importe
card-published = Tarjetas de prueba publicadas
card-by-holder = Según el nombre del titular
card-holder = Tarjeta de prueba
card-credit = Crédito
card-debit = Débito
card-prepaid = Prepaga
card-voucher = Vale
holder-apro = aprobada
holder-othe = rechazo general
holder-fund = fondos insuficientes
holder-call = pide autorización
holder-secu = código incorrecto
holder-expi = vencimiento incorrecto
holder-form = datos incorrectos
holder-cont = pendiente

## The terminal's screen

screen-idle = Lista para cobrar
screen-idle-hint = Espera un cobro de la caja
screen-previous = Última operación
screen-queued = Hay un cobro en espera
screen-queued-hint = Presione la tecla verde
screen-queued-many = Elija con el número, o verde para el primero
screen-total = Total a pagar
screen-present = Acerque, inserte o deslice la tarjeta
screen-processing = Procesando
screen-wait = Un momento, por favor
screen-keep-card = No retire la tarjeta
screen-authorization = Aut. {$code}
screen-print = ¿Imprimir el comprobante?
screen-offline = Sin conexión
screen-offline-hint = Los cobros esperan hasta que vuelva la red
screen-standalone = Modo autónomo
screen-standalone-hint = Los cobros del punto de venta no llegan a esta terminal
soft-fetch = Buscar cobro
soft-charge = Cobrar
soft-cancel = Cancelar
soft-done = Listo
soft-print = Imprimir
soft-no-receipt = No
notice-nothing = No hay cobros en espera
notice-green-first = Primero la tecla verde
notice-present = Presente la tarjeta
notice-offline = Sin conexión

## Results

outcome-approved = Aprobado
outcome-approved-hint = Gracias
outcome-rejected = Rechazado
outcome-rejected-hint = La tarjeta fue rechazada
outcome-reversed = Revertido
outcome-reversed-hint = El cobro se anuló y no se debita nada
outcome-error = Error
outcome-error-hint = La operación no se pudo completar
outcome-pending = Pendiente
outcome-pending-hint = El resultado llega más tarde
outcome-challenge = Falta verificar
outcome-challenge-hint = El titular debe confirmar el pago
outcome-canceled = Cancelado
outcome-canceled-hint = No se cobró nada
outcome-abandoned = Tiempo agotado
outcome-abandoned-hint = No se presentó una tarjeta
outcome-confirmation = Confirme el pago
outcome-confirmation-hint = Verifíquelo antes de entregar
reason-other = La entidad rechazó el pago
reason-funds = Fondos insuficientes
reason-call = El titular debe autorizar el pago
reason-code = Código de seguridad incorrecto
reason-expired = Vencimiento incorrecto
reason-form = Datos de la tarjeta incorrectos
reason-risk = Rechazado por seguridad
reason-disabled = Tarjeta inhabilitada

## Receipt

receipt = Comprobante
receipt-open = Ver el comprobante completo
receipt-take = Retirar
receipt-sale = Comprobante de venta
receipt-no-charge = No se cobró
receipt-date = Fecha
receipt-terminal = Terminal
receipt-card = Tarjeta
receipt-type = Tipo
receipt-entry = Lectura
receipt-entry-tap = Sin contacto
receipt-entry-insert = Chip
receipt-entry-swipe = Banda
receipt-authorization = Autorización
receipt-operation = Operación
receipt-copy = Copia para el cliente
receipt-sandbox = Prueba. Documento sin valor fiscal.

## Journals

journal-empty = Todavía no hay nada. Lo que pase aparece aquí al momento.
events-lead = Lo que ocurrió en este mundo, lo más nuevo primero.
requests-lead = Lo que pidieron los programas y lo que se les respondió, sin los secretos.
deliveries-lead = Cada intento de avisar a un webhook, con su respuesta. Cualquiera se puede repetir.
column-time = Hora
column-kind = Evento
column-subject = Sobre
column-merchant = Comercio
column-dialect = Dialecto
column-status = Estado
column-request = Solicitud
column-duration = Duración
column-state = Estado
column-url = Dirección
column-answer = Respuesta
column-attempt = Intento
column-next = Próximo
column-action = Acción
delivery-waiting = En espera
delivery-delivered = Entregada
delivery-failed = Falló
delivery-exhausted = Agotada
replay = Repetir
replayed = Se envía otra vez
detail-data = Datos
detail-event = Evento
detail-request = Solicitud
detail-answer = Respuesta
detail-headers = Encabezados
detail-body = Cuerpo
detail-no-body = (sin cuerpo)
detail-no-answer = Todavía sin respuesta.

## Ledger

ledger-lead = Partida doble: la suma de todas las cuentas de una moneda es cero.
ledger-balances = Saldos
ledger-postings = Últimos asientos
ledger-account = Cuenta
ledger-balance = Saldo
ledger-sum = Suma
ledger-balanced = Cuadra
ledger-unbalanced = No cuadra
ledger-empty = Todavía no hay asientos.
