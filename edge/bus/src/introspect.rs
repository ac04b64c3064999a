//! Introspection XML, printed from the tables: what is served is what is said, no more and no less.

use crate::methods::{Argument, Method, Right, Signal};
use crate::objects::{Interface, Object};
use crate::properties::{Access, Emits};
use std::fmt::Write;

const HEAD: &str = r#"<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
 <interface name="org.freedesktop.DBus.Peer">
  <method name="Ping"/>
  <method name="GetMachineId">
   <arg type="s" name="machine_uuid" direction="out"/>
  </method>
 </interface>
 <interface name="org.freedesktop.DBus.Introspectable">
  <method name="Introspect">
   <arg name="xml_data" type="s" direction="out"/>
  </method>
 </interface>
"#;

const PROPERTIES: &str = r#" <interface name="org.freedesktop.DBus.Properties">
  <method name="Get">
   <arg name="interface_name" direction="in" type="s"/>
   <arg name="property_name" direction="in" type="s"/>
   <arg name="value" direction="out" type="v"/>
  </method>
  <method name="GetAll">
   <arg name="interface_name" direction="in" type="s"/>
   <arg name="props" direction="out" type="a{sv}"/>
  </method>
  <method name="Set">
   <arg name="interface_name" direction="in" type="s"/>
   <arg name="property_name" direction="in" type="s"/>
   <arg name="value" direction="in" type="v"/>
  </method>
  <signal name="PropertiesChanged">
   <arg type="s" name="interface_name"/>
   <arg type="a{sv}" name="changed_properties"/>
   <arg type="as" name="invalidated_properties"/>
  </signal>
 </interface>
"#;

/// An object with its interfaces and the names of its children.
pub fn object(object: Option<Object>, children: &[String]) -> String {
    let mut xml = HEAD.to_owned();
    if let Some(object) = object {
        xml.push_str(PROPERTIES);
        for interface in object.interfaces() {
            print_interface(&mut xml, interface);
        }
    }
    for child in children {
        put(&mut xml, format_args!(" <node name=\"{child}\"/>\n"));
    }
    xml.push_str("</node>\n");
    xml
}

fn print_interface(xml: &mut String, interface: &Interface) {
    put(xml, format_args!(" <interface name=\"{}\">\n", interface.name));
    interface.each_property(&mut |name, signature, emits, access| {
        print_property(xml, name, signature, emits, access)
    });
    for method in interface.methods.iter().flat_map(|methods| methods.iter()) {
        print_method(xml, method);
    }
    for signal in interface.signals {
        print_signal(xml, signal);
    }
    xml.push_str(" </interface>\n");
}

fn print_property(xml: &mut String, name: &str, signature: &str, emits: Emits, access: Access) {
    let word = match access {
        Access::Read => "read",
        Access::ReadWrite => "readwrite",
    };
    put(xml, format_args!("  <property name=\"{name}\" type=\"{signature}\" access=\"{word}\">\n"));
    let emitted = match emits {
        Emits::Const => Some("const"),
        Emits::Value => None,
        Emits::Invalidates => Some("invalidates"),
        Emits::No => Some("false"),
    };
    if let Some(emitted) = emitted {
        print_annotation(xml, "org.freedesktop.DBus.Property.EmitsChangedSignal", emitted);
    }
    if access == Access::ReadWrite {
        print_annotation(xml, "org.freedesktop.systemd1.Privileged", "true");
    }
    xml.push_str("  </property>\n");
}

fn print_method(xml: &mut String, method: &Method) {
    put(xml, format_args!("  <method name=\"{}\">\n", method.name));
    print_arguments(xml, method.takes, " direction=\"in\"");
    print_arguments(xml, method.gives, " direction=\"out\"");
    if method.right == Right::Privileged {
        print_annotation(xml, "org.freedesktop.systemd1.Privileged", "true");
    }
    if method.name == "Reexecute" {
        print_annotation(xml, "org.freedesktop.DBus.Method.NoReply", "true");
    }
    xml.push_str("  </method>\n");
}

fn print_signal(xml: &mut String, signal: &Signal) {
    put(xml, format_args!("  <signal name=\"{}\">\n", signal.name));
    print_arguments(xml, signal.gives, "");
    xml.push_str("  </signal>\n");
}

fn print_arguments(xml: &mut String, arguments: &[Argument], direction: &str) {
    for (name, signature) in arguments {
        put(xml, format_args!("   <arg type=\"{signature}\" name=\"{name}\"{direction}/>\n"));
    }
}

fn print_annotation(xml: &mut String, name: &str, value: &str) {
    put(xml, format_args!("   <annotation name=\"{name}\" value=\"{value}\"/>\n"));
}

fn put(xml: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    xml.write_fmt(text).unwrap_or_default();
}
