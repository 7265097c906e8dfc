//! What the hosted card page is told of each dialect that has one.

mod clip;

use cobro_checkout::order::{card_luggage, with_payer};
use cobro_checkout::{Behaviour, DocumentType, Merchandise, OfferedCard, Order, Person};
use cobro_domain::card::{CardFacts, luhn};
use cobro_domain::merchant::Merchant;
use cobro_domain::session::Session;
use cobro_engine::cards::StorePlan;
use cobro_placetopay::{document_fits, locale_of, published_numbers, zone_of};
use cobro_surface::texts::Language;
use jiff::tz::TimeZone;

pub(crate) use clip::ClipSessions;

/// In how many instalments cards pay at most where the dialect's sites are.
const INSTALLMENTS_MAX: i64 = 36;

/// Sessions of Placetopay.
pub(crate) struct PlacetopaySessions;

macro_rules! documents {
    ($($code:literal $name:literal $sample:literal $of_company:literal,)*) => {
        &[$(DocumentType {
            code: $code,
            name: $name,
            is_valid: |number| document_fits($code, number),
            of_company: $of_company,
            sample: $sample,
        },)*]
    };
}

/// Document types of Colombia and those of everywhere (reference, section 8.3).
const COLOMBIAN: &[DocumentType] = documents! {
    "CC" "Cédula de ciudadanía" "1040099001" false,
    "CE" "Cédula de extranjería" "345678" false,
    "TI" "Tarjeta de identidad" "10400990" false,
    "RC" "Registro civil" "10400990" false,
    "NIT" "Número de identificación tributaria" "900123456" true,
    "RUT" "Registro único tributario" "900123456" true,
    "PPN" "Pasaporte" "AB123456" false,
    "TAX" "Tax ID" "AB123456" false,
    "LIC" "Licencia de conducción" "AB123456" false,
};

/// Document types of Chile and those of everywhere.
const CHILEAN: &[DocumentType] = documents! {
    "CLRUT" "Rol único tributario" "12.345.678-5" false,
    "PPN" "Pasaporte" "AB123456" false,
    "TAX" "Tax ID" "AB123456" false,
    "LIC" "Licencia de conducir" "AB123456" false,
};

const fn offered(number: &'static str, brand: &'static str, behaviour: Behaviour) -> OfferedCard {
    OfferedCard { number, brand, behaviour }
}

/// One published card for each way that a payment can go (reference, section 8.5).
const OFFERED: &[OfferedCard] = &[
    offered("4111111111111111", "visa", Behaviour::Approved),
    offered("5367680000000005", "master", Behaviour::Approved),
    offered("377222581193005", "amex", Behaviour::Approved),
    offered("4110760000000008", "visa", Behaviour::Challenged),
    offered("4110760000000016", "visa", Behaviour::Declined),
    offered("4110760000000073", "visa", Behaviour::PendingApproved),
    offered("4110760000000040", "visa", Behaviour::PendingDeclined),
];

/// The endings of the franchise codes of card brands, `CR_VS` for example (reference, 8.4).
const FRANCHISES: [(&str, &str); 6] = [
    ("_VS", "visa"),
    ("_VE", "visa_electron"),
    ("_MC", "master"),
    ("_AM", "amex"),
    ("_DN", "diners"),
    ("_DS", "discover"),
];

impl Merchandise for PlacetopaySessions {
    fn channel(&self) -> &'static str {
        "placetopay"
    }

    fn order(&self, merchant: &Merchant, session: &Session) -> Order {
        let luggage: serde_json::Value = serde_json::from_str(&session.luggage).unwrap_or_default();
        let order = Order::of_request(&luggage["request"]);
        // A locale that is absent, malformed or of a language that the page does not speak gives
        // way to the site's (reference, section 8.2).
        let locale = match Language::from_tag(&order.locale) {
            Some(_) => order.locale,
            None => locale_of(merchant).to_owned(),
        };
        Order { locale, ..order }
    }

    fn luggage(&self, session: &Session, payer: &Person) -> String {
        with_payer(&session.luggage, payer)
    }

    fn store_plan(&self, session: &Session, payer: &Person) -> StorePlan {
        StorePlan {
            token: None,
            with_subtoken: true,
            single_use: false,
            lifetime_s: None,
            luggage: card_luggage(&session.luggage, payer),
        }
    }

    fn documents(&self, merchant: &Merchant) -> &'static [DocumentType] {
        if merchant.country == "CL" { CHILEAN } else { COLOMBIAN }
    }

    fn installments_max(&self, _: &Merchant, _: &Session) -> i64 {
        INSTALLMENTS_MAX
    }

    /// `visa,master` names brands, `CR_VS` their franchises.
    fn accepts(&self, order: &Order, card: &CardFacts) -> bool {
        let named = |method: &String| {
            let franchise = FRANCHISES.iter().find(|(end, _)| method.ends_with(end));
            franchise.map_or_else(|| method.to_ascii_lowercase(), |(_, brand)| (*brand).to_owned())
        };
        order.methods.is_empty() || order.methods.iter().map(named).any(|brand| brand == card.brand)
    }

    fn test_cards(&self) -> &'static [OfferedCard] {
        OFFERED
    }

    fn luhn_exceptions(&self) -> Vec<&'static str> {
        published_numbers().filter(|number| !luhn(number)).collect()
    }

    fn time_zone(&self, merchant: &Merchant) -> TimeZone {
        zone_of(merchant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fit_and_offered_cards_are_published() {
        for kind in COLOMBIAN.iter().chain(CHILEAN) {
            assert!((kind.is_valid)(kind.sample), "{}", kind.code);
            assert!(!(kind.is_valid)(""), "{}", kind.code);
        }
        for card in OFFERED {
            assert!(published_numbers().any(|number| number == card.number), "{}", card.number);
        }
        assert_eq!(PlacetopaySessions.luhn_exceptions().len(), 12);
    }

    #[test]
    fn payment_methods_name_brands_and_franchises() {
        let facts = |brand: &str| CardFacts {
            brand: brand.to_owned(),
            kind: cobro_domain::card::CardKind::Credit,
            bin: String::new(),
            last_digits: String::new(),
            issuer: String::new(),
            expiration_month: 12,
            expiration_year: 2030,
        };
        for (methods, brand, expected) in [
            (vec![], "visa", true),
            (vec!["visa", "master"], "visa", true),
            (vec!["visa", "master"], "amex", false),
            (vec!["CR_VS", "_PSE_"], "visa", true),
            (vec!["CR_VS", "_PSE_"], "master", false),
            (vec!["RM_MC"], "master", true),
        ] {
            let methods = methods.into_iter().map(ToOwned::to_owned).collect();
            let order = Order { methods, ..Order::default() };
            assert_eq!(PlacetopaySessions.accepts(&order, &facts(brand)), expected, "{brand}");
        }
    }
}
