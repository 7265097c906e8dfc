//! `cobro env`: the variables of a running server, for `eval`.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, ValueEnum};

use super::client::Server;
use super::surroundings::{self, Plan};
use crate::config::StoreArgs;

/// The flags of `cobro env`.
#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// The shell to write for [default: by $SHELL]
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// Undo instead: the lines that take the variables away
    #[arg(long)]
    unset: bool,
    /// Lead Java programs as well (needs `keytool`)
    #[arg(long)]
    java: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// A shell's way to write variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// bash, zsh, dash and other shells of that family
    Bash,
    /// fish
    Fish,
    /// PowerShell
    #[value(name = "powershell")]
    Power,
}

/// The text to evaluate, and remarks for the person.
pub(crate) async fn run(args: EnvArgs) -> anyhow::Result<(String, Vec<String>)> {
    let shell = args.shell.unwrap_or_else(|| Shell::guess(std::env::var("SHELL").ok().as_deref()));
    let before = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if args.unset {
        return Ok((unset(shell, &before), Vec::new()));
    }
    let config = args.store.resolve()?;
    let server = Server::of(&config.data, config.control_token)?;
    let (ca_pem, world) = server.introduce().await?;
    let directory = config.data.join("clients");
    std::fs::create_dir_all(&directory)?;
    let plan = Plan {
        directory: Path::new(&directory),
        server: &server,
        ca_pem: &ca_pem,
        world: &world,
        offline: false,
        java: args.java,
    };
    let made = surroundings::prepare(&plan, &before)?;
    let mut text = String::new();
    for (name, value) in &made.variables {
        let _ = writeln!(text, "{}", shell.set(name, value));
    }
    Ok((text, made.remarks))
}

fn unset(shell: Shell, before: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    for name in surroundings::NAMES {
        // What others have set in a variable that is a list stays.
        let left = match name {
            "NODE_OPTIONS" => before(name).map(|set| surroundings::without_ours(&set)),
            _ => None,
        };
        let line = match left.filter(|left| !left.is_empty()) {
            Some(left) => shell.set(name, &left),
            None => shell.unset(name),
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

impl Shell {
    fn guess(shell: Option<&str>) -> Self {
        match shell {
            Some(path) if path.ends_with("fish") => Self::Fish,
            Some(path) if path.contains("pwsh") => Self::Power,
            None if cfg!(windows) => Self::Power,
            _ => Self::Bash,
        }
    }

    fn set(self, name: &str, value: &str) -> String {
        match self {
            Self::Bash => format!("export {name}='{}'", value.replace('\'', r"'\''")),
            Self::Fish => {
                let value = value.replace('\\', r"\\").replace('\'', r"\'");
                format!("set -gx {name} '{value}'")
            }
            Self::Power => format!("$env:{name} = '{}'", value.replace('\'', "''")),
        }
    }

    fn unset(self, name: &str) -> String {
        match self {
            Self::Bash => format!("unset {name}"),
            Self::Fish => format!("set -e {name}"),
            Self::Power => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_each_shell() {
        let value = r#"it's a \ "b" $c"#;
        assert_eq!(Shell::Bash.set("A", value), r#"export A='it'\''s a \ "b" $c'"#);
        assert_eq!(Shell::Fish.set("A", value), r#"set -gx A 'it\'s a \\ "b" $c'"#);
        assert_eq!(Shell::Power.set("A", value), r#"$env:A = 'it''s a \ "b" $c'"#);
    }

    #[test]
    fn shells_are_known_by_their_name() {
        for (shell, expected) in [
            (Some("/usr/bin/fish"), Shell::Fish),
            (Some("/bin/zsh"), Shell::Bash),
            (Some("/opt/pwsh"), Shell::Power),
        ] {
            assert_eq!(Shell::guess(shell), expected, "{shell:?}");
        }
    }

    #[test]
    fn undoing_keeps_what_was_there() {
        let before = |name: &str| {
            let set = "--inspect --require \"/d/cobro-preload.cjs\"";
            (name == "NODE_OPTIONS").then(|| set.to_owned())
        };
        let text = unset(Shell::Bash, &before);
        assert!(text.contains("export NODE_OPTIONS='--inspect'\n"), "{text}");
        assert!(text.contains("unset HTTPS_PROXY\n"), "{text}");
    }
}
