//! Real runtimes, each daemon in directories of its own: what was told to the runtime is what is known of the container.
//!
//! Nothing is fetched: the one image is made of busybox. Everything is stopped by its pid and swept up, mounts and control
//! groups as well. Debian's packages are listed in `.ci/run`; without them a test says loudly that it was left out.

mod containerd;
mod docker;
mod first;
mod lab;
mod late;
mod many;
mod others;
mod podman;
mod rejected;
