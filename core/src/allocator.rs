//! The allocator of a plugin's process, enabled by the feature `global-allocator`.
//!
//! musl's own allocator maps and unmaps pages for groups of a few objects: a third of all system calls of
//! a run, each followed by page faults. This one takes 64 KiB at a time and gives nothing back
//! before the process ends.

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;
