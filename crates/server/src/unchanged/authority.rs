//! Where the development CA is kept: `ca.key` and `ca.pem` in the data directory.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use cobro_domain::Clock as _;
use cobro_proxy::ca::{CaError, DevelopmentCa, generate_key};
use cobro_proxy::hosts;

use crate::ambient::SystemClock;

/// The file of the key, readable by its owner alone.
pub(crate) const KEY_FILE: &str = "ca.key";
/// The file of the certificate.
pub(crate) const CERTIFICATE_FILE: &str = "ca.pem";

/// The time in seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemClock.now().micros().div_euclid(1_000_000)
}

/// Opens the CA of a directory, and makes what is missing, damaged, out of date or made for
/// another list of hosts. A key that is there stays.
pub(crate) fn open(directory: &Path) -> Result<DevelopmentCa, CaError> {
    let key = open_key(&directory.join(KEY_FILE))?;
    let path = directory.join(CERTIFICATE_FILE);
    let names = hosts::names();
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some(ca) = DevelopmentCa::load(&key, &stored, &names, now())? {
        return Ok(ca);
    }
    let ca = DevelopmentCa::create(&key, &names, now())?;
    // Whoever reads the file meanwhile finds the old one or the new one, never half of one.
    let unfinished = directory.join(format!("{CERTIFICATE_FILE}.{}", std::process::id()));
    std::fs::write(&unfinished, ca.certificate_pem()).map_err(|error| kept(&unfinished, &error))?;
    std::fs::rename(&unfinished, &path).map_err(|error| kept(&path, &error))?;
    Ok(ca)
}

/// The CA of a directory if there is one that is good for today and for these hosts.
pub(crate) fn find(directory: &Path) -> Option<DevelopmentCa> {
    let key = std::fs::read_to_string(directory.join(KEY_FILE)).ok()?;
    let stored = std::fs::read_to_string(directory.join(CERTIFICATE_FILE)).ok()?;
    DevelopmentCa::load(&key, &stored, &hosts::names(), now()).ok()?
}

fn open_key(path: &Path) -> Result<String, CaError> {
    match crate::platform::create_private(path) {
        Ok(mut file) => {
            let key = generate_key()?;
            let written = file.write_all(key.as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| kept(path, &error))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::read_to_string(path).map_err(|error| kept(path, &error))
        }
        Err(error) => Err(kept(path, &error)),
    }
}

fn kept(path: &Path, error: &std::io::Error) -> CaError {
    CaError::Kept(format!("{}: {error}", path.display()))
}
