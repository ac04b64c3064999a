//! What is said of bad input: one clear diagnostic each, drawn without colours.

#![allow(clippy::unwrap_used)]

mod keys;
mod names;
mod needs;
mod settings;
mod start;
mod text;
mod tools;

use crate::asked::Asked;
use crate::ground::{Ground, Programs};
use crate::render::Colours;
use crate::{Manuals, Meant, Named, Notes, Recursion, Request, Surroundings, json, look, text};
use eudaemon_unit::diagnostic::Severity;
use eudaemon_unit::files::{Environment, Kind, MemoryTree, Scope, Tree, TreeError};
use eudaemon_unit::limits::LINE_MAX;
use eudaemon_unit::specifier::Context;
use eudaemon_unit::vendor::{Own, WithVendor};
use expect_test::{Expect, expect};

/// A tree in which some files may not be read.
struct Guarded(MemoryTree);

const UNREADABLE: &str = "/u/secret.service";

impl Tree for Guarded {
    fn look(&self, path: &str) -> Result<Kind, TreeError> {
        self.0.look(path)
    }
    fn list(&self, directory: &str) -> Result<Vec<(String, Kind)>, TreeError> {
        self.0.list(directory)
    }
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        if path == UNREADABLE { Err(TreeError::Denied) } else { self.0.read(path, limit) }
    }
    fn size(&self, path: &str) -> Result<u64, TreeError> {
        self.0.size(path)
    }
    fn stamp(&self, directory: &str) -> Option<u64> {
        self.0.stamp(directory)
    }
}

struct Installed;

impl Programs for Installed {
    fn may_run(&self, path: &str) -> Result<(), &'static str> {
        match path {
            "/bin/true" | "/bin/sh" | "/opt/crlf" | "/opt/crlf-x" | "/opt/odd" | "/opt/good" => Ok(()),
            "/bin/denied" => Err("Permission denied"),
            _ => Err("No such file or directory"),
        }
    }

    fn first_line(&self, path: &str) -> Vec<u8> {
        let line: &[u8] = match path {
            "/opt/crlf" => b"#!/bin/sh\r",
            "/opt/crlf-x" => b"#! /bin/sh -x\r",
            "/opt/odd" => b"#!/usr/bin/pyhton3 -u",
            "/opt/good" => b"#!/bin/sh -e",
            _ => b"\x7fELF",
        };
        line.to_vec()
    }
}

/// Files as paths and text, or names of files in /u, or `name -> target`; what is said of `arguments`.
fn said(files: &[(&str, &[u8])], request: &Request) -> crate::Report {
    let mut tree = MemoryTree::new();
    for (name, text) in files {
        match name.split_once(" -> ") {
            Some((name, target)) => tree.link(&format!("/u/{name}"), target),
            None if name.starts_with('/') => tree.file(name, *text),
            None => tree.file(&format!("/u/{name}"), *text),
        }
    }
    tree.special("/dev/null");
    tree.file("/usr/share/man/man8/there.8.gz", "");
    let own = Own { program: "/usr/bin/eudaemon", journal: "/run/systemd/journal" };
    let tree = WithVendor::new(Guarded(tree), own);
    let asked = Asked::read(&tree, &request.arguments, "/u");
    let environment = Environment { unit_path: Some("/u:".to_owned()), ..Environment::default() };
    look(&asked, request, &|folders| {
        Ground::new(&tree, &Installed, folders, &environment, Scope::System, Context::default())
    })
}

fn asking(arguments: &[&str]) -> Request {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Request { arguments, ..Request::default() }
}

fn check(files: &[(&str, &[u8])], arguments: &[&str], expected: Expect) {
    expected.assert_eq(&text(&said(files, &asking(arguments)), Colours::Off));
}

/// One service.
fn check_text(bytes: &[u8], expected: Expect) {
    check(&[("a.service", bytes)], &["a.service"], expected);
}

const GOOD: &[u8] = b"[Service]\nExecStart=/bin/true\n";
