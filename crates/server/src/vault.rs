//! `cobro vault`: the keys of the card vault, and their rotation, by the command or by a server.
//!
//! A rotation adds a key, wraps every card's data key with it, and leaves the old keys until no card
//! needs them. A server that runs does the wrapping itself: it sees that the file of the keys has
//! changed. Whatever is cut off is taken up again by the next rotation and by the next start.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use cobro_domain::{Clock, Entropy as _};
use cobro_engine::rotation::{keys_in_use, rotate};
use cobro_engine::vault::VaultKeys;
use cobro_engine::{EngineError, Worlds};
use cobro_store::store::Durability;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::{StoreArgs, StoreConfig};
use crate::data::{Databases, Hold, key_file, main_databases, sqlite_databases};
use crate::factory::Factory;

/// How often a server looks whether its keys have changed.
const WATCH: Duration = Duration::from_secs(1);

/// When a server looks once more for cards that were sealed with the old key while the new one
/// came: as long as an acquirer may take to answer, and more.
const SECOND_LOOK: Duration = Duration::from_secs(60);

/// How often the command looks how far a server has come.
const LOOK: Duration = Duration::from_millis(200);

/// How often it looks in vain before it gives up: half a minute.
const LOOKS_IN_VAIN_MAX: u32 = 150;

/// How old a key must be before earlier ones are removed under a running server, in microseconds.
const SETTLED_US: i64 = 120_000_000;

/// The flags of `cobro vault`.
#[derive(Debug, Args)]
pub(crate) struct VaultArgs {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    /// Tell which keys there are and how many cards need each
    Status(StoreArgs),
    /// Add a key and wrap every card's data key with it, beside a running server or without one;
    /// goes on with a rotation that was cut off
    Rotate(StoreArgs),
    /// Remove the keys that no card needs any more
    Prune(StoreArgs),
}

/// Runs a command; answers what is to be printed.
pub(crate) async fn run(args: VaultArgs) -> anyhow::Result<String> {
    match args.command {
        VaultCommand::Status(store) => status(&store.resolve()?).await,
        VaultCommand::Rotate(store) => {
            let config = store.resolve()?;
            let _alone = alone(&config)?;
            rotate_keys(&config).await
        }
        VaultCommand::Prune(store) => {
            let config = store.resolve()?;
            let _alone = alone(&config)?;
            prune(&config).await
        }
    }
}

/// One command changes the keys at a time; the lock goes with the process.
fn alone(config: &StoreConfig) -> anyhow::Result<File> {
    let path = config.data.join("vault.lock");
    let file = File::create(&path).with_context(|| format!("{}", path.display()))?;
    file.try_lock().context("another `cobro vault` is at work")?;
    Ok(file)
}

/// The keys at hand; they are not made here.
fn keys(config: &StoreConfig) -> anyhow::Result<VaultKeys> {
    // Nothing is recognised by a number here, so that the key of the fingerprints is not needed.
    let fingerprint = [0; 32];
    if let Some(text) = &config.vault_key {
        return VaultKeys::parse(text, fingerprint).context("COBRO_VAULT_KEY");
    }
    let path = key_file(config);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    VaultKeys::parse(&text, fingerprint).with_context(|| format!("{}", path.display()))
}

/// The databases of all worlds, the main one first.
fn all_databases(config: &StoreConfig) -> Vec<Databases> {
    let directory = config.data.join("worlds");
    let others = world_tags(&directory).into_iter().map(|tag| {
        sqlite_databases(&directory.join(format!("{tag}.sqlite")), Durability::ProcessOnly)
    });
    std::iter::once(main_databases(config)).chain(others).collect()
}

/// The tags of the worlds beside the main one.
fn world_tags(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut tags: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".sqlite").map(str::to_owned))
        .filter(|tag| !tag.contains('.'))
        .collect();
    tags.sort();
    tags
}

/// How many cards of all worlds need each key.
async fn counts(config: &StoreConfig) -> anyhow::Result<BTreeMap<i64, i64>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut all = BTreeMap::new();
    for databases in all_databases(config) {
        let clock = clock.clone();
        let opened = tokio::task::spawn_blocking(move || databases.open_to_read(&clock)).await?;
        for (id, count) in keys_in_use(&opened?.0).await? {
            *all.entry(id).or_insert(0) += count;
        }
    }
    Ok(all)
}

async fn status(config: &StoreConfig) -> anyhow::Result<String> {
    let (keys, counts) = (keys(config)?, counts(config).await?);
    let mut text = String::new();
    for id in keys.ids() {
        let count = counts.get(&id).copied().unwrap_or(0);
        let mark = if id == keys.current_id() { ", current" } else { "" };
        writeln!(text, "key {id}: {count} cards{mark}")?;
    }
    for (id, count) in missing(&keys, &counts) {
        writeln!(text, "key {id}: {count} cards, MISSING")?;
    }
    Ok(text)
}

/// Keys that cards need and that are not there.
fn missing(keys: &VaultKeys, counts: &BTreeMap<i64, i64>) -> Vec<(i64, i64)> {
    let ids = keys.ids();
    counts.iter().filter(|(id, _)| !ids.contains(id)).map(|(id, count)| (*id, *count)).collect()
}

async fn rotate_keys(config: &StoreConfig) -> anyhow::Result<String> {
    let before = keys(config)?;
    let found = counts(config).await?;
    if let Some((id, count)) = missing(&before, &found).first() {
        bail!("{count} cards need key {id}, which is missing: nothing was changed");
    }
    let is_unfinished = found.keys().any(|id| *id < before.current_id());
    let mut text = String::new();
    if config.vault_key.is_some() {
        writeln!(text, "the keys come from COBRO_VAULT_KEY: none is made")?;
    } else if is_unfinished {
        writeln!(text, "going on with the rotation to key {}", before.current_id())?;
    } else {
        let id = add_key(&key_file(config), before.current_id())?;
        writeln!(text, "key {id} was made in {}", key_file(config).display())?;
    }
    let keys = keys(config)?;
    let done = wrap_all(config, &keys).await?;
    writeln!(text, "{done} cards need key {} now", keys.current_id())?;
    if keys.ids().len() > 1 {
        writeln!(text, "earlier keys stay until `cobro vault prune`")?;
    }
    Ok(text)
}

/// Sees to it that every card needs the current key; answers how many do. Where a server holds the
/// database it does the work; one that dies leaves it to this.
async fn wrap_all(config: &StoreConfig, keys: &VaultKeys) -> anyhow::Result<i64> {
    let (mut last, mut in_vain) = (None, 0);
    loop {
        if let Some(_hold) = Hold::take(config) {
            wrap_here(config, keys).await?;
        }
        let counts = counts(config).await?;
        let is_old = |(id, _): &(&i64, &i64)| **id < keys.current_id();
        let old: i64 = counts.iter().filter(is_old).map(|(_, count)| *count).sum();
        if old == 0 {
            return Ok(counts.get(&keys.current_id()).copied().unwrap_or(0));
        }
        in_vain = if last == Some(old) { in_vain + 1 } else { 0 };
        last = Some(old);
        if in_vain > LOOKS_IN_VAIN_MAX {
            bail!(
                "{old} cards still need earlier keys: the running server does not take the new one"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn wrap_here(config: &StoreConfig, keys: &VaultKeys) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    for databases in all_databases(config) {
        let clock = clock.clone();
        let opened = tokio::task::spawn_blocking(move || databases.open(&clock)).await?;
        let (world, _book) = opened?;
        while rotate(&world, keys, &SystemEntropy).await? > 0 {}
    }
    Ok(())
}

/// Adds a key after `last` to a file of keys; answers its id.
fn add_key(path: &Path, last: i64) -> anyhow::Result<i64> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let id = last.checked_add(1).context("there is no higher id")?;
    let mut key = [0; 32];
    SystemEntropy.fill(&mut key);
    replace(path, &format!("{}\n{id}:{}\n", text.trim_end(), hex::encode(key)))?;
    Ok(id)
}

/// Puts a file of keys in the place of the one that is there, whole or not at all.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // Left behind by a command that was cut off.
    let _ = std::fs::remove_file(&new);
    let mut file =
        crate::platform::create_private(&new).with_context(|| format!("{}", new.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path).with_context(|| format!("{}", path.display()))?;
    Ok(crate::platform::sync_directory(path)?)
}

async fn prune(config: &StoreConfig) -> anyhow::Result<String> {
    if config.vault_key.is_some() {
        bail!("the keys come from COBRO_VAULT_KEY: remove from it what `status` says nobody needs");
    }
    let (keys, path) = (keys(config)?, key_file(config));
    // Without a server nobody seals with an earlier key at this moment.
    let hold = Hold::take(config);
    let is_alone = matches!(hold, Some(Hold::Alone(_)));
    if !is_alone && changed_us(&path)? > SystemClock.now().micros() - SETTLED_US {
        bail!("the newest key is younger than two minutes: a server may still use the one before");
    }
    let counts = counts(config).await?;
    let is_needed = |id: i64| id == keys.current_id() || counts.contains_key(&id);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let id_of = |line: &str| line.split(':').next().and_then(|id| id.trim().parse::<i64>().ok());
    let lines = text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let (kept, gone): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| id_of(line).is_none_or(is_needed));
    if gone.is_empty() {
        return Ok("every key is needed\n".to_owned());
    }
    replace(&path, &format!("{}\n", kept.join("\n")))?;
    let mut said = String::new();
    for id in gone.into_iter().filter_map(id_of) {
        writeln!(said, "key {id} was removed: no card needs it")?;
    }
    Ok(said)
}

/// When a file last changed, in microseconds since 1970.
fn changed_us(path: &Path) -> anyhow::Result<i64> {
    #[expect(clippy::disallowed_types, reason = "the time of a file, not the present moment")]
    let epoch = std::time::SystemTime::UNIX_EPOCH;
    let changed = std::fs::metadata(path)?.modified()?.duration_since(epoch)?;
    Ok(i64::try_from(changed.as_micros())?)
}

/// A server's part: wraps what is to be wrapped at its start and whenever another key has become
/// current, until it stops.
pub(crate) async fn watch(worlds: Arc<Worlds>, factory: Arc<Factory>, config: StoreConfig) {
    let (keys, stop) = (&factory.vault, &factory.shutdown);
    let path = key_file(&config);
    let directory = config.data.join("worlds");
    let mark = || std::fs::metadata(&path).and_then(|found| Ok((found.modified()?, found.len())));
    let mut seen = mark().ok();
    if keys.ids().len() > 1 {
        wrap_open(&worlds, &directory).await;
    }
    let mut second_look: Option<tokio::time::Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WATCH) => {}
        }
        let now = mark().ok();
        if now != seen {
            seen = now;
            if keys.refresh() {
                tracing::info!(key = keys.current_id(), "another vault key is current");
                wrap_open(&worlds, &directory).await;
                second_look = Some(tokio::time::Instant::now() + SECOND_LOOK);
            }
        }
        if second_look.is_some_and(|at| tokio::time::Instant::now() >= at) {
            second_look = None;
            wrap_open(&worlds, &directory).await;
        }
    }
}

/// Wraps the cards of every world of a server. What fails is tried again at the next start.
async fn wrap_open(worlds: &Worlds, directory: &Path) {
    if !worlds.main().peers().leads(0).await {
        return;
    }
    let others = world_tags(directory).into_iter().map(|tag| format!("w_{tag}"));
    for id in std::iter::once(cobro_engine::worlds::MAIN.to_owned()).chain(others) {
        match wrap_world(worlds, &id).await {
            Ok(0) => {}
            Ok(done) => {
                tracing::info!(world = id, cards = done, "the vault's cards have a new key")
            }
            Err(error) => tracing::error!(world = id, %error, "the vault's rotation stopped"),
        }
    }
}

async fn wrap_world(worlds: &Worlds, id: &str) -> Result<usize, EngineError> {
    let world = worlds.by_id(id).await?;
    let mut done = 0;
    loop {
        match world.rotate_cards().await? {
            0 => return Ok(done),
            some => done += some,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_added_and_the_others_stay() {
        let name = format!("cobro-vault-{}", crate::config::random_name());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("vault.keys");
        let one = "1:0101010101010101010101010101010101010101010101010101010101010101";
        std::fs::write(&path, format!("{one}\n")).unwrap();
        // What a command left that was cut off.
        std::fs::write(directory.join("vault.keys.new"), "half").unwrap();
        assert_eq!(add_key(&path, 1).unwrap(), 2);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(one));
        assert_eq!(VaultKeys::parse(&text, [0; 32]).unwrap().ids(), [1, 2]);
        assert!(!directory.join("vault.keys.new").exists());
        std::fs::remove_dir_all(directory).unwrap();
    }
}
