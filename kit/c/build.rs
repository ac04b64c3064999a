//! The shared library's name in programs that are linked with it: it changes when they would have to be built anew.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libeudaemon-kit.so.0");
    println!("cargo:rerun-if-changed=build.rs");
}
