//! The least that a Rust process can do: what `cargo xtask bench` holds a plugin against.

#![allow(clippy::print_stdout, reason = "its only work")]

fn main() {
    println!("hello");
}
