//! How the demonstration looks on a terminal: numbered steps, facts in two columns, files indented.

/// Prints as it goes, so that a step that hangs is the last one to be seen.
pub(super) struct Story {
    step: usize,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { step: 0 }
    }

    pub(super) fn title(&self, title: &str, subtitle: &str) {
        println!("{title}\n{subtitle}");
    }

    pub(super) fn step(&mut self, text: &str) {
        self.step += 1;
        println!("\n{}. {text}", self.step);
    }

    pub(super) fn fact(&self, name: &str, value: &str) {
        println!("   {name:<9} {value}");
    }

    pub(super) fn file(&self, name: &str, text: &str) {
        println!("   {name}");
        for line in text.lines() {
            println!("   | {line}");
        }
    }

    pub(super) fn end(&self) {
        println!();
    }
}
