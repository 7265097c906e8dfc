# Textos de la página de pago. Solo variables simples, sin selectores.

## Marco

skip = Ir al contenido
page-title = Pago a {$shop}
page-title-store = Registro de tarjeta en {$shop}
page-title-error = Error: {$title}
sandbox = Modo de pruebas: aquí no se mueve dinero
languages = Idioma
by = Página de pago de Cobro
left-minutes = Quedan {$minutes} min
left-label = Tiempo que queda para pagar
left-until = Válido hasta las {$time}
left-soon = Queda un minuto para pagar.
over = El tiempo terminó

## Resumen

order = Resumen
order-total = Total a pagar
order-left = Falta por pagar
order-paid = Ya pagado
order-store = Se guardará una tarjeta
order-store-lead = Hoy no se cobra nada.
order-reference = Referencia

## Formulario

form-pay = Pague con tarjeta
form-store = Registre su tarjeta
section-amount = Cuánto paga ahora
section-card = Tarjeta
section-payer = Sus datos
amount-all = Todo lo que falta
amount-part = Una parte
amount = Valor que paga ahora
number = Número de tarjeta
expiration = Vencimiento
expiration-hint = MM/AA
cvv = Código CVV
cvv-back = 3 dígitos al reverso
cvv-front = 4 dígitos al frente
name = Nombre como está en la tarjeta
document-type = Tipo de documento
document = Número de documento
email = Correo electrónico
email-hint = Allí recibe noticias del pago
mobile = Celular
optional = opcional
installments = Cuotas
installments-one = 1 cuota
installments-many = {$count} cuotas
save-store = Autorizo a {$shop} a guardar esta tarjeta y a hacer con ella los cobros que acordemos.
save-offer = Guardar esta tarjeta para mis próximas compras en {$shop}.
save-hint = El número se guarda cifrado; el código de seguridad no se guarda nunca.
pay = Pagar {$amount}
pay-part = Pagar
store = Guardar tarjeta
cancel = No quiero continuar
working = Procesando…
known = Datos enviados por la tienda

## Tarjetas de prueba

cards = Tarjetas de prueba
cards-lead = Llenan el formulario con una tarjeta publicada para pruebas.
behaviour-approved = Aprueba
behaviour-challenged = Pide código
behaviour-declined = Rechaza
behaviour-pending-approved = Pendiente, luego aprueba
behaviour-pending-declined = Pendiente, luego rechaza

## Errores

errors = Revise estos datos
fault-amount = Escriba un valor, por ejemplo {$example}.
fault-amount-too-much = El valor es mayor que lo que falta: {$amount}.
fault-number-missing = Escriba el número de la tarjeta.
fault-number = El número no es el de una tarjeta: revise los dígitos.
fault-number-not-test = En modo de pruebas solo se reciben tarjetas de prueba publicadas. Esta no se guardó ni se usó.
fault-number-not-taken = Esta tienda no recibe esta marca de tarjeta.
fault-expiration-missing = Escriba el vencimiento de la tarjeta.
fault-expiration = Escriba el vencimiento como mes y año: MM/AA.
fault-expiration-past = La tarjeta está vencida.
fault-cvv-missing = Escriba el código de seguridad.
fault-cvv = El código no tiene la longitud de esta marca: revise los dígitos.
fault-name-missing = Escriba el nombre como está en la tarjeta.
fault-name = Escriba un nombre, sin números de tarjeta.
fault-document-type = Elija el tipo de documento.
fault-document-missing = Escriba el número de documento.
fault-document = El número no tiene la forma de este documento.
fault-email-missing = Escriba su correo electrónico.
fault-email = Escriba un correo completo, por ejemplo nombre@correo.com.
fault-mobile = Escriba al menos siete dígitos.
fault-installments = Elija un número de cuotas de la lista.
fault-save = Sin su autorización no se puede guardar la tarjeta.
no-answer = No hubo respuesta. Revise su conexión; antes de pagar otra vez, esta página comprobará en qué quedó.
forged = La página había caducado. No se usó ninguna tarjeta: inténtelo otra vez.
challenge-late = El tiempo para confirmar terminó y la tarjeta se olvidó. Escríbala otra vez.

## Rechazos

declined = El pago no pasó
declined-card = {$brand} terminada en {$digits}
declined-store = La tarjeta no se guardó
attempts-left = Intentos que le quedan: {$count}
decline-generic = Su banco no autorizó el pago. Pruebe con otra tarjeta.
decline-insufficient_funds = La tarjeta no tiene cupo o fondos suficientes.
decline-call_issuer = Su banco pide que lo llame para autorizar el pago.
decline-security_code = El código de seguridad no coincide.
decline-expired = La tarjeta está vencida o la fecha no coincide.
decline-bad_form = Algún dato de la tarjeta no coincide.
decline-card_number = El banco no reconoce el número de la tarjeta.
decline-inactive = La tarjeta no está activa. Su banco puede activarla.
decline-installments = Esta tarjeta no permite ese número de cuotas.
decline-duplicate = Hace un momento se hizo un pago igual.
decline-restricted = La tarjeta no sirve para este tipo de pago.
decline-kind_not_accepted = Aquí no se recibe esta clase de tarjeta.
decline-too_many_tries = Hubo demasiados intentos con esta tarjeta.
decline-blocked = La tarjeta está bloqueada. Hable con su banco.
decline-brand_not_supported = Aquí no se recibe esta marca de tarjeta.
decline-amount_rule = El valor supera lo que su banco permite.
decline-high_risk = El pago se rechazó por seguridad: no se pudo confirmar que usted es el titular.
decline-authentication = El pago se rechazó: el código de su banco no era correcto o no llegó.
decline-failed = El pago no se pudo procesar. No se cobró nada.

## Confirmación del titular

challenge = Confirme que es usted
challenge-lead = Su banco quiere comprobar que usted es el titular antes de usar esta tarjeta.
challenge-card = Tarjeta
otp = Código de un solo uso
otp-hint = En modo de pruebas, 12345 confirma; cualquier otro código rechaza.
fault-otp = Escriba el código que le envió su banco.
confirm = Confirmar
other-card = Usar otra tarjeta

## Resultado

approved = Pago aprobado
approved-lead = {$shop} ya recibió la confirmación.
held = Pago autorizado
held-lead = El dinero está reservado; {$shop} lo cobrará más tarde.
stored = Tarjeta guardada
stored-lead = {$shop} puede hacer con ella los cobros que usted autorizó.
waiting = Pago en proceso
waiting-lead = Su banco todavía no responde. No pague otra vez: esta página cambia sola cuando haya respuesta.
ended-payer = Usted canceló
ended-payer-lead = No se cobró nada.
ended-merchant = La tienda canceló este pago
ended-merchant-lead = Esta página ya no está disponible.
ended-expired = El tiempo terminó
ended-expired-lead = Esta página ya no está disponible. Vuelva a la tienda para empezar otra vez.
ended-declined = Pago rechazado
ended-declined-lead = El pago no se hizo. Vuelva a la tienda para intentarlo otra vez.
ended-attempts = No quedan intentos
ended-attempts-lead = Hubo demasiados intentos fallidos. Vuelva a la tienda para empezar otra vez.
ended-partial = Quedó pagada una parte
ended-partial-lead = El tiempo terminó o se canceló. Lo que ya se pagó queda pagado; hable con la tienda por el resto.
unknown = Esta página no existe
unknown-lead = Revise que la dirección esté completa, o vuelva a la tienda para empezar otra vez.
fault-inside = Algo falló de nuestro lado
fault-inside-lead = No se sabe si el pago se hizo. Vuelva a cargar la página antes de intentarlo otra vez.
receipt = Comprobante
receipt-waiting = Detalle del pago
receipt-shop = Comercio
receipt-amount = Valor
receipt-card = Tarjeta
receipt-card-value = {$brand} terminada en {$digits}
receipt-date = Fecha
receipt-authorization = Autorización
receipt-number = Recibo
receipt-installments = Cuotas
print = Imprimir
back = Volver a la tienda
