//! One process, measured by the kernel.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::suite::Until;
use crate::Result;

/// What to run, always in an environment that only has `variables`.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) binary: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
    /// The file that is its stdin.
    pub(super) stdin: Option<PathBuf>,
}

/// What one run, or the median of several, took.
pub(super) struct Sample {
    /// User and system time of all threads.
    pub(super) cpu: Duration,
    /// `None` if the run was ended early; the same for `memory`.
    pub(super) wall: Option<Duration>,
    /// Peak resident set, in bytes.
    pub(super) memory: Option<u64>,
}

/// How it is measured.
pub(super) struct Meter {
    /// The path of the example of that name, which starts and measures a program.
    pub(super) measured: PathBuf,
    /// Never answers.
    pub(super) listener: TcpListener,
    /// How many measured runs each program has.
    pub(super) runs: usize,
}

impl Meter {
    /// The medians of each program, after some runs that warm the caches. They run in turns, so
    /// that what else the machine does is spread over all.
    pub(super) fn medians(&self, programs: &[Program], until: Until) -> Result<Vec<Sample>> {
        const WARM_UPS: usize = 3;
        let mut samples: Vec<Vec<Sample>> = programs.iter().map(|_| Vec::new()).collect();
        for round in 0..WARM_UPS + self.runs {
            for (program, samples) in programs.iter().zip(&mut samples) {
                let sample = match until {
                    Until::Exit => program.run(&self.measured)?,
                    Until::FirstByte => program.run_to_first_byte(&self.listener)?,
                };
                if round >= WARM_UPS {
                    samples.push(sample);
                }
            }
        }
        Ok(samples.iter().map(|samples| Sample::median(samples)).collect())
    }
}

impl Program {
    /// A program that needs nothing.
    pub(super) fn bare(binary: PathBuf) -> Self {
        let (arguments, variables) = (Vec::new(), Vec::new());
        Self { name: "a bare process", binary, arguments, variables, stdin: None }
    }

    pub(super) fn run(&self, measured: &Path) -> Result<Sample> {
        let mut arguments = vec![self.binary.as_os_str().to_owned()];
        arguments.extend(self.arguments.iter().map(OsString::from));
        let output = self.command(measured, &arguments)?.output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(
                format!("`{}` failed ({}): {}", self.name, output.status, error.trim()).into()
            );
        }
        Sample::parse(&String::from_utf8(output.stdout)?)
    }

    /// Its CPU time until its first byte arrives at the listener.
    fn run_to_first_byte(&self, listener: &TcpListener) -> Result<Sample> {
        let arguments: Vec<OsString> = self.arguments.iter().map(OsString::from).collect();
        let mut command = self.command(&self.binary, &arguments)?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let (mut stream, _) = accept(listener, Duration::from_secs(10))
            .map_err(|error| format!("`{}` never connected: {error}", self.name))?;
        stream.read_exact(&mut [0])?;
        let cpu = cpu_so_far(child.id());
        child.kill()?;
        child.wait()?;
        Ok(Sample { cpu: cpu?, wall: None, memory: None })
    }

    /// A command with its environment and stdin.
    pub(super) fn command(&self, program: &Path, arguments: &[OsString]) -> Result<Command> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(match &self.stdin {
            Some(file) => Stdio::from(File::open(file)?),
            None => Stdio::null(),
        });
        Ok(command)
    }
}

impl Sample {
    /// Reads the line that the example `measured` prints.
    fn parse(line: &str) -> Result<Self> {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        let mut field = || fields.next().ok_or("too few numbers from `measured`");
        let (cpu, wall, memory) = (field()??, field()??, field()??);
        let (cpu, wall) = (Duration::from_micros(cpu), Duration::from_micros(wall));
        Ok(Self { cpu, wall: Some(wall), memory: Some(memory) })
    }

    fn median(samples: &[Self]) -> Self {
        Self {
            cpu: median(samples.iter().map(|sample| sample.cpu)),
            wall: median(samples.iter().map(|sample| sample.wall)),
            memory: median(samples.iter().map(|sample| sample.memory)),
        }
    }
}

fn accept(
    listener: &TcpListener,
    patience: Duration,
) -> std::io::Result<(std::net::TcpStream, std::net::SocketAddr)> {
    listener.set_nonblocking(true)?;
    let deadline = Instant::now() + patience;
    loop {
        match listener.accept() {
            Ok((stream, address)) => {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(patience))?;
                return Ok((stream, address));
            }
            Err(error)
                if error.kind() == std::io::ErrorKind::WouldBlock && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The CPU time of all threads, in the kernel's nanoseconds: the first field of `schedstat`.
fn cpu_so_far(process: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let spent = text.split_whitespace().next().ok_or("an empty schedstat file")?;
        nanoseconds += spent.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The size of a file, in bytes.
pub(super) fn file_size(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file)?.len())
}

/// The middle value, the lower one of two; the zero of its type if there is none.
fn median<T: Ord + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let middle = values.len().saturating_sub(1) / 2;
    values.into_iter().nth(middle).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([9, 1, 5].into_iter()), 5);
        assert_eq!(median([4, 1, 2, 3].into_iter()), 2);
        assert_eq!(median(std::iter::empty::<u64>()), 0);
    }

    #[test]
    fn reads_the_line_of_measured() {
        let sample = Sample::parse("1500 2500 409600\n").unwrap();
        assert_eq!(sample.cpu, Duration::from_micros(1500));
        assert_eq!(sample.wall, Some(Duration::from_micros(2500)));
        assert_eq!(sample.memory, Some(409_600));
        assert!(Sample::parse("1500 2500\n").is_err());
    }

    #[test]
    fn a_failure_is_not_a_sample() {
        let program = Program::bare("/nowhere/nothing".into());
        // The shell replaces `measured` here: it fails on a file that does not exist.
        let error = program.run(Path::new("/bin/sh")).err().unwrap().to_string();
        assert!(error.starts_with("`a bare process` failed"), "{error}");
    }
}
