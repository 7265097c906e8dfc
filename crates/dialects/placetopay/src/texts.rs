//! What the API says to people, in three languages (reference, sections 2.8, 7.2 and 7.3).
//!
//! Spanish comes from the documentation and from observed traffic; the other languages are
//! documented where the reference says so, and our own wording elsewhere.

/// A language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Es,
    En,
    Pt,
}

impl Language {
    /// The language of a locale; Spanish for every other one, Italian included.
    pub(crate) fn of(locale: &str) -> Self {
        match locale.get(..2).unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Self::En,
            "pt" => Self::Pt,
            _ => Self::Es,
        }
    }
}

macro_rules! texts {
    ($($name:ident: $es:literal, $en:literal, $pt:literal;)*) => {
        /// Something that is said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Text { $($name,)* }

        impl Text {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text, with `{}` where something is filled in.
            pub(crate) const fn said(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::Es) => $es,
                      (Self::$name, Language::En) => $en,
                      (Self::$name, Language::Pt) => $pt,)*
                }
            }
        }
    };
}

texts! {
    AuthenticationFailed: "Autenticación fallida {}", "Authentication failed {}",
        "Falha na autenticação {}";
    Processed: "La petición se ha procesado correctamente",
        "The request has been processed successfully",
        "A solicitação foi processada corretamente";
    Active: "La petición se encuentra activa", "The request is active",
        "A solicitação está ativa";
    Pending: "La petición se encuentra pendiente", "The request is pending",
        "A solicitação está pendente";
    Approved: "La petición ha sido aprobada exitosamente",
        "The petition has been successfully approved",
        "A solicitação foi aprovada com sucesso";
    Rejected: "Se ha rechazado la petición", "The request has been rejected",
        "A solicitação foi rejeitada";
    CancelledByUser: "La petición ha sido cancelada por el usuario",
        "The request has been cancelled by the user",
        "A solicitação foi cancelada pelo usuário";
    CancelledByMerchant: "La petición ha sido cancelada por el comercio",
        "The request has been cancelled by the merchant",
        "A solicitação foi cancelada pelo comércio";
    Expired: "La petición ha expirado", "The request has expired", "A solicitação expirou";
    PartiallyApproved: "La petición está parcialmente aprobada",
        "The request is partially approved", "A solicitação está parcialmente aprovada";
    PartialExpired: "La petición esta expirada o cancelada y se han realizado pagos",
        "The request is expired or cancelled and payments have been made",
        "A solicitação expirou ou foi cancelada e pagamentos foram realizados";
    TransactionApproved: "Aprobada", "Approved", "Aprovada";
    TransactionPending: "Transacción pendiente, por favor verifique con su entidad",
        "Transaction pending, please check with your bank",
        "Transação pendente, consulte o seu banco";
    TransactionAwaitsConfirmation: "Pendiente de confirmación por el comercio",
        "Waiting for the merchant's confirmation", "Aguardando confirmação do comércio";
    TransactionCancelled: "Cancelada por el comercio", "Cancelled by the merchant",
        "Cancelada pelo comércio";
    TransactionReversed: "Reversada, no se obtuvo respuesta de la red",
        "Reversed, the network did not answer", "Estornada, a rede não respondeu";
    NetworkFault: "Ha ocurrido una falla en la comunicación con la red",
        "The communication with the network failed", "Falha na comunicação com a rede";
    DeniedGeneric: "Negada, puede ser tarjeta bloqueada o timeout",
        "Denied, the card may be blocked or the network timed out",
        "Negada, o cartão pode estar bloqueado ou houve timeout";
    DeniedFunds: "Negada, fondos insuficientes", "Denied, insufficient funds",
        "Negada, saldo insuficiente";
    DeniedCall: "Negada, llamar al centro de autorizaciones",
        "Denied, call the authorisation centre", "Negada, ligue para a central de autorizações";
    DeniedCode: "Negada, código de verificación inválido", "Denied, invalid verification code",
        "Negada, código de verificação inválido";
    DeniedExpired: "Negada, tarjeta vencida", "Denied, expired card", "Negada, cartão vencido";
    DeniedData: "Negada, datos de la tarjeta inválidos", "Denied, invalid card data",
        "Negada, dados do cartão inválidos";
    DeniedNumber: "Negada, número de tarjeta inválido", "Denied, invalid card number",
        "Negada, número de cartão inválido";
    DeniedInactive: "Negada, tarjeta inactiva", "Denied, inactive card",
        "Negada, cartão inativo";
    DeniedInstalments: "Negada, número de cuotas inválido",
        "Denied, invalid number of instalments", "Negada, número de parcelas inválido";
    DeniedDuplicate: "Negada, transacción duplicada", "Denied, duplicate transaction",
        "Negada, transação duplicada";
    DeniedTries: "Negada, supera el número de intentos", "Denied, too many tries",
        "Negada, excede o número de tentativas";
    DeniedFranchise: "Negada, franquicia no soportada", "Denied, the franchise is not supported",
        "Negada, bandeira não suportada";
    DeniedAmount: "Negada, Monto excede el máximo definido por la Entidad Financiera en el \
        archivo de Tarjetahabientes",
        "Denied, the amount exceeds the maximum that the issuer has set",
        "Negada, o valor excede o máximo definido pela instituição financeira";
    DeniedAuthentication: "Negada, la autenticación del tarjetahabiente falló",
        "Denied, the authentication of the cardholder failed",
        "Negada, a autenticação do portador do cartão falhou";
    DeniedRisk: "Negada por políticas de riesgo", "Denied by risk policies",
        "Negada por políticas de risco";
    FieldRequired: "El campo {} es obligatorio.", "The {} field is required.",
        "O campo {} é obrigatório.";
    FieldInvalid: "El formato del campo {} es inválido.", "The {} field format is invalid.",
        "O formato do campo {} é inválido.";
    FieldTooLong: "El campo {} no debe tener más de {} caracteres.",
        "The {} field must not have more than {} characters.",
        "O campo {} não deve ter mais de {} caracteres.";
    FieldNotAllowed: "El campo {} no está permitido en esta petición.",
        "The {} field is not allowed in this request.",
        "O campo {} não é permitido nesta solicitação.";
    FieldNotPositive: "El campo {} debe ser mayor a 0.", "The {} field must be greater than 0.",
        "O campo {} deve ser maior que 0.";
    ExpirationTooSoon: "El campo expiration debe ser una fecha posterior a 5 minutos.",
        "The expiration field must be at least 5 minutes ahead.",
        "O campo expiration deve ser pelo menos 5 minutos no futuro.";
    PayerInvalid: "Los datos del pagador no son válidos", "The payer's data are not valid",
        "Os dados do pagador não são válidos";
    TooManyDispersions: "La dispersión supera el máximo de destinos permitidos",
        "The dispersion exceeds the maximum of destinations",
        "A dispersão excede o máximo de destinos permitidos";
    TokenInvalid: "El token usado es inválido", "The token used is invalid",
        "O token usado é inválido";
    AlreadyRefunded: "La transacción ya ha sido reembolsada",
        "The transaction has already been refunded", "A transação já foi reembolsada";
    ReferenceInvalid: "Referencia inválida, debe ser de 1 a 32 caracteres",
        "Invalid reference, it must have 1 to 32 characters",
        "Referência inválida, deve ter de 1 a 32 caracteres";
    CannotRefund: "La transacción no puede ser reembolsada",
        "The transaction cannot be refunded", "A transação não pode ser reembolsada";
    ActionNotSupported: "La acción [{}] no está soportada para esta sesión; solo está disponible \
        para transacciones en estado pendiente de confirmación",
        "The action [{}] is not supported for this session; it is only available for \
        transactions that are pending confirmation",
        "A ação [{}] não é suportada para esta sessão; só está disponível para transações \
        pendentes de confirmação";
    ActionImpossible: "La acción [{}] no está soportada para esta transacción",
        "The action [{}] is not supported for this transaction",
        "A ação [{}] não é suportada para esta transação";
    NotPending: "No se pueden cancelar sesiones que no están pendientes.",
        "Sessions that are not pending cannot be cancelled.",
        "Sessões que não estão pendentes não podem ser canceladas.";
    SessionUnknown: "No existe la sesión que busca", "The session does not exist",
        "A sessão não existe";
    PageUnknown: "Pagina no encontrada", "Page not found", "Página não encontrada";
    TooLarge: "La petición es demasiado grande", "The request is too large",
        "A solicitação é grande demais";
    Unavailable: "El servicio no está disponible, intente de nuevo",
        "The service is unavailable, try again", "O serviço não está disponível, tente de novo";
    Fault: "Ha ocurrido un error inesperado", "An unexpected error occurred",
        "Ocorreu um erro inesperado";
}

/// A text with its places filled in.
pub(crate) fn filled(text: &str, with: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut with = with.iter();
    let mut parts = text.split("{}");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(with.next().map_or("", String::as_str));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_the_same_places_in_every_language() {
        for text in Text::ALL {
            let places = |language| text.said(language).matches("{}").count();
            assert_eq!(places(Language::Es), places(Language::En), "{text:?}");
            assert_eq!(places(Language::Es), places(Language::Pt), "{text:?}");
            assert!(text.said(Language::Es).chars().count() <= 255, "{text:?}");
        }
    }

    #[test]
    fn languages_and_places() {
        let table = [
            ("es_CO", Language::Es),
            ("en_US", Language::En),
            ("pt_BR", Language::Pt),
            ("it_IT", Language::Es),
            ("", Language::Es),
        ];
        for (locale, language) in table {
            assert_eq!(Language::of(locale), language, "{locale}");
        }
        assert_eq!(filled("a {} b {} c", &["1".into(), "2".into()]), "a 1 b 2 c");
        assert_eq!(filled("a", &[]), "a");
    }
}
