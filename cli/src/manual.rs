//! Shell completions and manual pages, made from the definition of the command line and from
//! the plugins' own data.

mod plugin;

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::args::Args;
use crate::command_notes::{COMMANDS, CommandNotes};
use crate::plugins::{self, PLUGINS};
use crate::report::{Failure, Report};

/// A script for `shell`.
pub(crate) fn completions(shell: Shell) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "pullpass", &mut script);
    Report::new(String::from_utf8_lossy(&script).into_owned(), 0)
}

/// The page of `name`: a command's, a plugin's, or without a name `pullpass(1)`.
pub(crate) fn print_page(name: Option<&str>) -> Result<Report, Failure> {
    let command = command();
    let page = match name {
        None => command_page(&command),
        Some(name) => match subcommands(&command).find(|known| is_named(known, name)) {
            Some(subcommand) => command_page(subcommand),
            None => Ok(plugin::page(plugins::find(name).map_err(|failure| {
                failure.or_hint("and pages for `pullpass`'s own commands, such as `check`")
            })?)),
        },
    };
    Ok(Report::new(page.map_err(cannot_write)?, 0))
}

/// Writes every page to `dir`, one file each.
pub(crate) fn write_pages(dir: &Path) -> Result<Report, Failure> {
    let command = command();
    let mut pages = vec![("pullpass".to_owned(), command_page(&command).map_err(cannot_write)?)];
    for subcommand in subcommands(&command) {
        let name = display_name(subcommand).to_owned();
        pages.push((name, command_page(subcommand).map_err(cannot_write)?));
    }
    for known in PLUGINS {
        pages.push((known.name.to_owned(), plugin::page(known)));
    }
    fs::create_dir_all(dir).map_err(cannot_write)?;
    for (name, page) in pages {
        fs::write(dir.join(format!("{name}.1")), page).map_err(cannot_write)?;
    }
    Ok(Report::default())
}

fn cannot_write(error: io::Error) -> Failure {
    Failure::new(format!("cannot write the manual: {error}"))
}

/// The command line with the full names of its commands.
fn command() -> Command {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    command
}

/// Every command, and the commands of commands after them.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .flat_map(|known| std::iter::once(known).chain(known.get_subcommands()))
}

/// The name of its page, such as `pullpass-config-merge`.
fn display_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// Whether a page is requested as `config-merge` or by its whole name.
fn is_named(command: &Command, name: &str) -> bool {
    let whole = display_name(command);
    whole == name || whole.strip_prefix("pullpass-") == Some(name)
}

fn command_page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone().version(env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let known = COMMANDS.iter().find(|page| page.display_name == display_name(command));
    let mut roff = Roff::new();
    if let Some(known) = known {
        write_notes(&mut roff, known);
    }
    let others = command_names().filter(|name| *name != display_name(command));
    write_see_also(&mut roff, others);
    roff.to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write_notes(roff: &mut Roff, page: &CommandNotes) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in page.exit_codes {
        write_item(roff, &code.to_string(), meaning);
    }
    if !page.notes.is_empty() {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(page.notes)]);
    }
    write_examples(roff, page.examples.iter().copied());
}

/// A name and what it means.
fn write_item(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
}

/// Each with a sentence before it.
fn write_examples<'a>(roff: &mut Roff, examples: impl Iterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", ["EXAMPLES"]);
    for (what, example) in examples {
        roff.control("PP", []);
        roff.text([roman(format!("{what}:"))]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        for line in example.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.control("RE", []);
    }
}

fn write_see_also<'a>(roff: &mut Roff, names: impl Iterator<Item = &'a str>) {
    roff.control("SH", ["SEE ALSO"]);
    let mut line: Vec<Inline> = Vec::new();
    for name in names {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.push(bold(name));
        line.push(roman("(1)"));
    }
    roff.text(line);
    roff.control("PP", []);
    roff.text([roman(KUBERNETES_PAGE)]);
}

/// The names of the pages of this command and of the plugins.
fn command_names() -> impl Iterator<Item = &'static str> {
    let commands = COMMANDS.iter().map(|page| page.display_name);
    std::iter::once("pullpass").chain(commands).chain(PLUGINS.iter().map(|known| known.name))
}

const KUBERNETES_PAGE: &str =
    "https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let command = command();
        let names: Vec<&str> = subcommands(&command).map(display_name).collect();
        let pages: Vec<&str> = COMMANDS.iter().map(|page| page.display_name).collect();
        assert_eq!(names, pages);
    }

    /// The words of a shell's line: `'` keeps some together, `\` joins lines, and the command
    /// ends before `>`, `|` or `)`.
    fn words(line: &str) -> Vec<String> {
        let line = line.replace("\\\n", " ").replace('\'', "");
        let words = line.split_whitespace().take_while(|word| !matches!(*word, ">" | "|"));
        words.map(|word| word.trim_end_matches(')').to_owned()).collect()
    }

    #[test]
    fn the_command_line_takes_every_example() {
        for page in COMMANDS {
            assert!(!page.examples.is_empty(), "{}", page.display_name);
            for (_, example) in page.examples {
                let start = example.rfind("pullpass ").expect("a run of pullpass");
                let line = words(&example[start..]);
                assert!(line.join("-").starts_with(page.display_name), "{example}");
                if let Err(error) = Args::try_parse_from(&line) {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}
