//! Manual and completions are committed as they are generated.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn the_committed_manual_and_completions_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stale: Vec<&str> = sysreel::manual::files()
        .into_iter()
        .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    assert!(stale.is_empty(), "{stale:?} not as generated. Make them anew: cargo run -- generate");
}

#[test]
fn the_manual_has_its_sections_and_no_rough_edges() {
    let page = sysreel::manual::man_page();
    let mut last = 0;
    for title in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "OUTPUT",
        "FILTER",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "LIMITS",
        "SEE ALSO",
    ] {
        let heading = [format!("\n.SH {title}\n"), format!("\n.SH \"{title}\"\n")];
        let at = heading.iter().find_map(|h| page.find(h)).unwrap_or_else(|| panic!("no section {title}"));
        assert!(at > last, "{title} out of order");
        last = at;
        assert_eq!(page.matches(&heading[0]).count() + page.matches(&heading[1]).count(), 1, "{title} twice");
    }
    assert!(!page.contains("generate"), "hidden subcommands stay hidden");
}

/// groff warns of what a reader would stumble over. Skipped where it is not installed.
#[test]
fn the_manual_formats_without_warnings() {
    let Ok(mut groff) = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "-rLL=100n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
    else {
        return;
    };
    groff.stdin.take().unwrap().write_all(sysreel::manual::man_page().as_bytes()).unwrap();
    let warnings = String::from_utf8_lossy(&groff.wait_with_output().unwrap().stderr).into_owned();
    assert_eq!(warnings, "");
}

#[test]
fn every_tool_has_a_page() {
    for name in sysreel::cli::TOOLS {
        let page = sysreel::manual::tool_page(name);
        for heading in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"] {
            let found = [format!(".SH {heading}\n"), format!(".SH \"{heading}\"\n")];
            assert!(found.iter().any(|h| page.contains(h)), "{name} has no {heading}: {page}");
        }
        assert!(page.contains(&format!("sysreel\\-{name}")), "{page}");
    }
}

/// The script must at least be one. Skipped where bash is not installed.
#[test]
fn bash_accepts_its_completions() {
    let Ok(mut bash) = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn() else { return };
    let text = sysreel::manual::completions(sysreel::cli::Shell::Bash);
    bash.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
}
