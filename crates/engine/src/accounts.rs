//! Merchants, their credentials, endpoints and settings.

use cobro_domain::fee::FeeSchedule;
use cobro_domain::merchant::{Endpoint, Merchant, MerchantState, Wants};
use cobro_domain::money::Currency;
use cobro_domain::terminal::OperatingMode;
use cobro_domain::{MerchantId, TerminalId};
use cobro_store::rows::DirectoryRow;
use cobro_store::{LaneKey, ToCell, Tx};

use crate::emit::{next_ordinal, require};
use crate::error::{EngineError, Subject};
use crate::ports::{SettingsChange, TerminalPlan};
use crate::terminals::{TERMINAL_KIND, add_terminal};
use crate::world::{Caller, World};

/// The kind of a directory row that leads from a merchant's public id to it.
const MERCHANT_KIND: &str = "merchant";

/// A merchant to be made.
#[derive(Clone, Debug)]
pub struct NewMerchant {
    /// The dialect that it speaks.
    pub channel: String,
    /// The name by which that dialect and the control API know it.
    pub public_id: String,
    /// The trading name.
    pub name: String,
    /// The country, or the dialect's own word for it.
    pub country: String,
    /// The currency of its terminals.
    pub currency: Currency,
    /// What it pays.
    pub fees: FeeSchedule,
    /// The dialect's settings, as JSON text.
    pub settings: String,
    /// Its credentials: kind, the credential itself, and what it names besides the merchant.
    pub credentials: Vec<(String, String, String)>,
    /// Its terminals.
    pub terminals: Vec<TerminalPlan>,
    /// Its endpoints.
    pub endpoints: Vec<NewEndpoint>,
}

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Which of the dialect's subscriptions.
    pub slot: i64,
    /// Which events it wants.
    pub wants: Wants,
    /// What the dialect signs with; empty when it does not.
    pub secret: String,
}

/// What an endpoint's secret is sealed for.
pub(crate) fn endpoint_purpose(merchant: MerchantId, slot: i64) -> String {
    format!("endpoint {merchant} {slot}")
}

impl World {
    /// Makes a merchant with all that belongs to it; one that is there already stays as it is.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn add_merchant(&self, new: NewMerchant) -> Result<MerchantId, EngineError> {
        if let Some(there) = self.find_merchant(&new.channel, &new.public_id).await? {
            return Ok(there.id);
        }
        let mut seed = self.entropy().seed();
        // The last byte of the id is the merchant's slot; the seed makes it even.
        if let Some(last) = seed.last_mut() {
            *last = new.public_id.bytes().fold(*last, u8::wrapping_add);
        }
        let id = MerchantId(uuid_of(seed));
        let sealed = self.seal_endpoints(id, &new.endpoints);
        let world = self.clone();
        self.write(id, move |tx| {
            insert(tx, &world, id, &new, &sealed)?;
            Ok(id)
        })
        .await
    }

    /// The secrets of new endpoints, sealed for them.
    pub(crate) fn seal_endpoints(&self, id: MerchantId, new: &[NewEndpoint]) -> Vec<Vec<u8>> {
        let sealed = new.iter().map(|endpoint| {
            let secret = endpoint.secret.as_bytes();
            if secret.is_empty() {
                return Vec::new();
            }
            self.key().seal(&endpoint_purpose(id, endpoint.slot), secret, self.entropy())
        });
        sealed.collect()
    }

    /// The merchant with this public id.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn find_merchant(
        &self,
        channel: &str,
        public_id: &str,
    ) -> Result<Option<Merchant>, EngineError> {
        let key = (MERCHANT_KIND.to_owned(), format!("{channel}:{public_id}"));
        let found = self.store().read(move |reader| {
            let Some(row) = reader.get::<DirectoryRow>(&key)? else { return Ok(None) };
            reader.get::<Merchant>(&(row.merchant,))
        });
        Ok(found.await?)
    }

    /// All merchants, in the order in which they were made.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn merchants(&self) -> Result<Vec<Merchant>, EngineError> {
        Ok(self.store().read(|reader| reader.list::<Merchant>(MERCHANTS, &[])).await?)
    }

    /// The merchant with this id.
    ///
    /// # Errors
    /// Unknown merchant.
    #[crate::boxed]
    pub async fn merchant(&self, id: MerchantId) -> Result<Merchant, EngineError> {
        let found = self.store().read(move |reader| reader.get::<Merchant>(&(id,)));
        found.await?.ok_or(EngineError::NotFound(Subject::Merchant))
    }

    /// Changes a merchant's state and settings.
    ///
    /// # Errors
    /// Unknown merchant.
    #[crate::boxed]
    pub async fn change_merchant(
        &self,
        id: MerchantId,
        state: Option<MerchantState>,
        change: SettingsChange,
    ) -> Result<Merchant, EngineError> {
        let world = self.clone();
        let merchant = self
            .write(id, move |tx| {
                let mut merchant: Merchant = require(tx, &(id,), Subject::Merchant)?;
                merchant.state = state.unwrap_or(merchant.state);
                merchant.epoch += 1;
                if !change.settings.is_empty() {
                    merchant.settings.clone_from(&change.settings);
                }
                for (slot, url, all) in &change.endpoints {
                    let wants = if *all { Wants::All } else { Wants::Final };
                    let key = (id, *slot);
                    let mut endpoint: Endpoint = require(tx, &key, Subject::Merchant)?;
                    endpoint.url.clone_from(url);
                    endpoint.verified = !url.is_empty();
                    endpoint.wants = wants;
                    endpoint.updated_at = tx.now();
                    tx.save(&endpoint);
                }
                tx.save(&merchant);
                let world = world.clone();
                tx.after_commit(move || world.forget_callers());
                Ok(merchant)
            })
            .await?;
        Ok(merchant)
    }

    /// A caller's endpoint in a slot, with its secret.
    ///
    /// # Errors
    /// When the merchant has no such slot.
    #[crate::boxed]
    pub async fn endpoint(
        &self,
        merchant: MerchantId,
        slot: i64,
    ) -> Result<(Endpoint, String), EngineError> {
        let found = self.store().read(move |reader| reader.get::<Endpoint>(&(merchant, slot)));
        let endpoint = found.await?.ok_or(EngineError::NotFound(Subject::Merchant))?;
        if endpoint.secret_sealed.is_empty() {
            return Ok((endpoint, String::new()));
        }
        let secret = self.key().open(&endpoint_purpose(merchant, slot), &endpoint.secret_sealed);
        let secret = secret.map_err(|error| EngineError::Fault(error.to_string()))?;
        Ok((endpoint, String::from_utf8_lossy(&secret).into_owned()))
    }

    /// Gives a caller's endpoint a new address, which has not been proven yet.
    ///
    /// # Errors
    /// A stale caller, or a merchant without such a slot.
    #[crate::boxed]
    pub async fn set_endpoint_url(
        &self,
        caller: &Caller,
        slot: i64,
        url: String,
    ) -> Result<(), EngineError> {
        self.change_endpoint(caller, slot, move |endpoint| {
            endpoint.url.clone_from(&url);
            endpoint.verified = false;
            true
        })
        .await
    }

    /// Notes whether a caller has proven that this address is theirs; an address that was changed
    /// in between stays unproven.
    ///
    /// # Errors
    /// A stale caller, or a merchant without such a slot.
    #[crate::boxed]
    pub async fn set_endpoint_verified(
        &self,
        caller: &Caller,
        slot: i64,
        url: String,
        verified: bool,
    ) -> Result<(), EngineError> {
        self.change_endpoint(caller, slot, move |endpoint| {
            let same = endpoint.url == url;
            if same {
                endpoint.verified = verified;
            }
            same
        })
        .await
    }

    async fn change_endpoint(
        &self,
        caller: &Caller,
        slot: i64,
        change: impl Fn(&mut Endpoint) -> bool + Send + 'static,
    ) -> Result<(), EngineError> {
        let caller = caller.clone();
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &caller)?;
            let mut endpoint: Endpoint = require(tx, &(merchant.id, slot), Subject::Merchant)?;
            if change(&mut endpoint) {
                endpoint.updated_at = tx.now();
                tx.save(&endpoint);
            }
            Ok(())
        })
        .await
    }

    /// The terminals of a merchant by id, for describing a world.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn terminal_ids(&self, merchant: MerchantId) -> Result<Vec<TerminalId>, EngineError> {
        let found = self.store().read(move |reader| {
            let rows = reader.rows(TERMINAL_IDS, &[merchant.to_cell()])?;
            Ok(rows
                .iter()
                .filter_map(|row| row.first())
                .filter_map(<TerminalId as cobro_store::FromCell>::from_cell)
                .collect())
        });
        Ok(found.await?)
    }

    /// The lane key of a merchant, for bulk work by lane.
    pub fn lane_of(&self, merchant: MerchantId) -> usize {
        self.store().lane_of(LaneKey::from(merchant))
    }
}

const MERCHANTS: &str = "SELECT id, channel, public_id, name, country, currency, state, epoch, \
     fee_bps, tax_bps, endpoint_slots, settings, created_at FROM merchant \
     ORDER BY created_at, public_id";

const TERMINAL_IDS: &str =
    "SELECT id FROM terminal WHERE merchant = $1 ORDER BY ordinal LIMIT 1000";

/// Writes a merchant with all that belongs to it.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    world: &World,
    id: MerchantId,
    new: &NewMerchant,
    sealed: &[Vec<u8>],
) -> Result<(), EngineError> {
    let mut endpoint_slots = 0;
    for (endpoint, secret_sealed) in new.endpoints.iter().zip(sealed) {
        endpoint_slots |= 1 << endpoint.slot;
        tx.insert(&Endpoint {
            merchant: id,
            slot: endpoint.slot,
            url: String::new(),
            verified: false,
            wants: endpoint.wants,
            secret_sealed: secret_sealed.clone(),
            updated_at: tx.now(),
        });
    }
    let merchant = Merchant {
        id,
        channel: new.channel.clone(),
        public_id: new.public_id.clone(),
        name: new.name.clone(),
        country: new.country.clone(),
        currency: new.currency,
        state: MerchantState::Active,
        epoch: 1,
        fees: new.fees,
        endpoint_slots,
        settings: new.settings.clone(),
        created_at: tx.now(),
    };
    tx.insert(&merchant);
    let value = format!("{}:{}", new.channel, new.public_id);
    if tx.get::<DirectoryRow>(&(MERCHANT_KIND.to_owned(), value.clone()))?.is_some() {
        return Err(EngineError::Exists(Subject::Merchant));
    }
    let row = |kind: &str, value: String, subject: &str| DirectoryRow {
        kind: kind.to_owned(),
        value,
        merchant: id,
        subject: subject.to_owned(),
    };
    tx.insert(&row(MERCHANT_KIND, value, ""));
    for (kind, credential, subject) in &new.credentials {
        tx.insert(&row(kind, world.key().lookup_hash(credential), subject));
    }
    for plan in &new.terminals {
        let ordinal = next_ordinal(tx, id, TERMINAL_KIND)?;
        add_terminal(tx, world, &merchant, plan.clone(), OperatingMode::Integrated, ordinal)?;
    }
    Ok(())
}

pub(crate) fn uuid_of(seed: [u8; 16]) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(seed).into_uuid()
}
