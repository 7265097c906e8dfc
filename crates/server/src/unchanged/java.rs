//! Java takes its CAs from a trust store: the one that it has, with ours added by `keytool`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Programs that start a Java machine.
const PROGRAMS: [&str; 11] = [
    "java", "javac", "jshell", "mvn", "mvnw", "gradle", "gradlew", "ant", "sbt", "kotlin", "scala",
];

/// The password that a JDK's own trust store has; a trust store holds no secrets.
const PASSWORD: &str = "changeit";

/// Whether a command is one of Java's.
pub(crate) fn is_java(command: &str) -> bool {
    let stem = Path::new(command).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    PROGRAMS.contains(&stem)
}

/// The options that lead a Java machine through the proxy at `authority` and make it trust us.
pub(crate) fn options(
    certificate: &Path,
    directory: &Path,
    authority: &str,
) -> anyhow::Result<String> {
    let store = directory.join("cobro-truststore");
    let home = home().context("no `java` was found")?;
    let own = ["lib/security/cacerts", "jre/lib/security/cacerts"].map(|path| home.join(path));
    match own.iter().find(|path| path.is_file()) {
        Some(own) => {
            let _ = std::fs::remove_file(&store);
            std::fs::copy(own, &store).context("the JDK's trust store cannot be copied")?;
        }
        None => bail!("the JDK at {} has no trust store", home.display()),
    }
    let keytool = home.join("bin").join(format!("keytool{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(keytool);
    command.args(["-importcert", "-noprompt", "-alias", "cobro", "-storepass", PASSWORD]);
    command.arg("-file").arg(certificate).arg("-keystore").arg(&store);
    command.env_remove("JAVA_TOOL_OPTIONS").stdin(Stdio::null());
    let done = command.output().context("`keytool` cannot be run")?;
    if !done.status.success() {
        bail!("`keytool` failed: {}", String::from_utf8_lossy(&done.stdout).trim());
    }
    let (host, port) = authority.rsplit_once(':').context("the server's port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let store = store.display().to_string();
    if store.contains(char::is_whitespace) {
        bail!("JAVA_TOOL_OPTIONS cannot hold the path {store:?}, which has a blank");
    }
    Ok(format!(
        "-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={PASSWORD} \
         -Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Dhttp.proxyHost={host} \
         -Dhttp.proxyPort={port} -Dhttp.nonProxyHosts=localhost|127.0.0.1|[::1]"
    ))
}

fn home() -> Option<PathBuf> {
    if let Some(home) = std::env::var_os("JAVA_HOME").map(PathBuf::from)
        && home.is_dir()
    {
        return Some(home);
    }
    let name = format!("java{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(&name))
        .find(|path| path.is_file())?;
    Some(found.canonicalize().ok()?.parent()?.parent()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_java() {
        for (command, is) in [
            ("java", true),
            ("./gradlew", true),
            ("/usr/bin/mvn", true),
            ("gradlew.bat", true),
            ("javascript", false),
            ("node", false),
            ("", false),
        ] {
            assert_eq!(is_java(command), is, "{command}");
        }
    }
}
