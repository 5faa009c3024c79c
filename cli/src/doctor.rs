//! `pullpass doctor`: what is wrong on a node, before or after its pulls fail. Only reads.

mod faults;
mod finding;
mod node;
mod observe;
mod output;
mod tree;

use crate::args::{DoctorArgs, Format};
use crate::report::{Failure, Report, require_root};

use self::finding::Severity;

/// Looks at the node and says what is wrong with it.
pub(crate) fn run(args: &DoctorArgs) -> Result<Report, Failure> {
    require_root(&args.root)?;
    let node = observe::node(args);
    let findings = faults::find(&node);
    let code = u8::from(findings.iter().any(|finding| finding.severity != Severity::Risk));
    Ok(match args.format {
        Format::Json => Report::json(&output::json(&node, &findings), code),
        Format::Text => Report::new(output::text(&node, &findings), code),
    })
}
