//! Refusals in the words of real systemd: what clients print, and what their exit codes are told from.

use super::with_connection;
use expect_test::expect;
use std::fmt::Write;
use zbus::wire::DynamicType;
use zbus::{Connection, OwnedVariant, Variant};

const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

struct Probe<'a> {
    connection: &'a Connection,
    said: String,
}

impl Probe<'_> {
    async fn ask<B>(&mut self, path: &str, interface: &str, member: &str, body: &B)
    where
        B: serde::Serialize + DynamicType,
    {
        let answer =
            match self.connection.call_method(None::<&str>, path, Some(interface), member, body).await {
                Ok(reply) => format!("ok {}", reply.body().signature()),
                Err(zbus::Error::MethodError(name, text, _)) => {
                    format!("{name} {}", text.unwrap_or_default())
                }
                Err(error) => format!("{error:?}"),
            };
        let answer = answer.replace("org.freedesktop.", "");
        writeln!(self.said, "{member}: {answer}").expect("a string");
    }

    async fn manager<B>(&mut self, member: &str, body: &B)
    where
        B: serde::Serialize + DynamicType,
    {
        self.ask(MANAGER_PATH, MANAGER, member, body).await;
    }
}

#[test]
fn refusals() {
    let said = with_connection("errors", async |connection| {
        let mut probe = Probe { connection, said: String::new() };
        for name in ["bad name.service", "foo", "a/b.service", "", "t@.service", "t@x.slice"] {
            for method in ["GetUnit", "LoadUnit", "GetUnitFileState"] {
                probe.manager(method, &(name,)).await;
            }
        }
        probe.manager("StartUnit", &("t-also.service", "bogus")).await;
        probe.manager("StartUnit", &("", "replace")).await;
        probe.manager("StartUnitWithFlags", &("", "replace", 0_u64)).await;
        probe.manager("FreezeUnit", &("",)).await;
        probe.manager("StartUnitReplace", &("t-simple.service", "t-also.service", "replace")).await;
        let (properties, others) =
            (Vec::<(&str, Variant)>::new(), Vec::<(&str, Vec<(&str, Variant)>)>::new());
        probe.manager("StartTransientUnit", &("t@.service", "replace", &properties, &others)).await;
        probe.manager("EnqueueUnitJob", &("t-also.service", "bogus", "replace")).await;
        probe.manager("KillUnit", &("t-simple.service", "bogus", 15)).await;
        probe.manager("KillUnit", &("t-simple.service", "all", 99)).await;
        let nope = [("Nope", Variant::from(1_u32))];
        probe.manager("SetUnitProperties", &("t-simple.service", true, nope.to_vec())).await;
        probe.manager("GetUnit", &()).await;
        probe.manager("GetUnit", &(1_u32, "x")).await;
        probe.manager("Nope", &()).await;
        probe.manager("GetUnitByPID", &(99_999_u32,)).await;
        probe.manager("GetUnitByInvocationID", &(vec![1_u8, 2],)).await;
        probe.manager("GetJob", &(77_u32,)).await;
        probe.manager("SetEnvironment", &(vec!["a b=c"],)).await;
        probe.manager("StartTransientUnit", &()).await;
        probe.ask("/org/freedesktop/systemd1/unit/bogus", PROPERTIES, "GetAll", &("",)).await;
        probe.ask("/org/freedesktop/systemd1/job/9", PROPERTIES, "GetAll", &("",)).await;
        probe.ask("/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", &("x",)).await;
        let service = "/org/freedesktop/systemd1/unit/t_2dsimple_2eservice";
        probe.ask(service, PROPERTIES, "GetAll", &("org.freedesktop.systemd1.Timer",)).await;
        probe.ask(service, PROPERTIES, "Get", &("org.freedesktop.systemd1.Unit", "Nope")).await;
        probe
            .ask(service, PROPERTIES, "Set", &("org.freedesktop.systemd1.Unit", "Id", Variant::from("x")))
            .await;
        probe.ask(MANAGER_PATH, PROPERTIES, "Set", &(MANAGER, "LogLevel", Variant::from(1_u32))).await;
        probe.ask(MANAGER_PATH, PROPERTIES, "Get", &("org.freedesktop.systemd1.Nope", "Nope")).await;
        probe.ask(MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping", &()).await;
        probe.ask(MANAGER_PATH, "org.freedesktop.DBus.Peer", "Nope", &()).await;
        probe.said
    });
    expect![[r#"
        GetUnit: systemd1.NoSuchUnit Unit bad name.service not loaded.
        LoadUnit: FDO(InvalidArgs("Unit name bad name.service is not valid."))
        GetUnitFileState: FDO(InvalidArgs("Invalid argument"))
        GetUnit: systemd1.NoSuchUnit Unit foo not loaded.
        LoadUnit: FDO(InvalidArgs("Unit name foo is not valid."))
        GetUnitFileState: FDO(InvalidArgs("Invalid argument"))
        GetUnit: systemd1.NoSuchUnit Unit a/b.service not loaded.
        LoadUnit: FDO(InvalidArgs("Unit name a/b.service is not valid."))
        GetUnitFileState: FDO(InvalidArgs("Invalid argument"))
        GetUnit: systemd1.NoSuchUnit Client not member of any unit.
        LoadUnit: systemd1.NoSuchUnit Client not member of any unit.
        GetUnitFileState: FDO(InvalidArgs("Invalid argument"))
        GetUnit: systemd1.NoSuchUnit Unit t@.service not loaded.
        LoadUnit: FDO(InvalidArgs("Unit name t@.service is missing the instance name."))
        GetUnitFileState: FDO(FileNotFound("No such file or directory"))
        GetUnit: systemd1.NoSuchUnit Unit t@x.slice not loaded.
        LoadUnit: FDO(InvalidArgs("Invalid argument"))
        GetUnitFileState: FDO(FileNotFound("No such file or directory"))
        StartUnit: FDO(InvalidArgs("Job mode bogus invalid"))
        StartUnit: FDO(InvalidArgs("Unit name  is not valid."))
        StartUnitWithFlags: FDO(InvalidArgs("Unit name  is not valid."))
        FreezeUnit: systemd1.NoSuchUnit Client not member of any unit.
        StartUnitReplace: systemd1.NoSuchJob No job queued for unit t-simple.service
        StartTransientUnit: FDO(InvalidArgs("Unit name t@.service is missing the instance name."))
        EnqueueUnitJob: FDO(InvalidArgs("Job type bogus invalid"))
        KillUnit: FDO(InvalidArgs("Invalid who argument bogus"))
        KillUnit: FDO(InvalidArgs("Signal number out of range."))
        SetUnitProperties: FDO(PropertyReadOnly("Cannot set property Nope, or unknown property."))
        GetUnit: FDO(InvalidArgs("Invalid arguments '' to call systemd1.Manager.GetUnit(), expecting 's'."))
        GetUnit: FDO(InvalidArgs("Invalid arguments 'us' to call systemd1.Manager.GetUnit(), expecting 's'."))
        Nope: FDO(UnknownMethod("Unknown method Nope or interface systemd1.Manager."))
        GetUnitByPID: systemd1.NoUnitForPID PID 99999 does not belong to any loaded unit.
        GetUnitByInvocationID: FDO(InvalidArgs("Invalid invocation ID"))
        GetJob: systemd1.NoSuchJob Job 77 does not exist.
        SetEnvironment: FDO(InvalidArgs("Invalid environment assignments"))
        StartTransientUnit: FDO(InvalidArgs("Invalid arguments '' to call systemd1.Manager.StartTransientUnit(), expecting 'ssa(sv)a(sa(sv))'."))
        GetAll: FDO(InvalidArgs("Unit name bogus is neither a valid invocation ID nor unit name."))
        GetAll: FDO(UnknownObject("Unknown object '/org/freedesktop/systemd1/job/9'."))
        AddMatch: FDO(UnknownObject("Unknown object '/org/freedesktop/DBus'."))
        GetAll: FDO(UnknownInterface("Unknown interface 'systemd1.Timer'."))
        Get: FDO(UnknownProperty("Unknown interface systemd1.Unit or property Nope."))
        Set: FDO(PropertyReadOnly("Property 'Id' is not writable."))
        Set: FDO(InvalidArgs("Incorrect parameters for property 'LogLevel', expected 's', got 'u'."))
        Get: FDO(UnknownProperty("Unknown interface systemd1.Nope or property Nope."))
        Ping: ok 
        Nope: FDO(UnknownMethod("Unknown method 'Nope' on interface 'DBus.Peer'."))
    "#]].assert_eq(&said);
}

/// By `self`, by invocation id, by alias: several roads lead to one unit.
#[test]
fn many_roads_lead_to_a_unit() {
    with_connection("roads", async |connection| {
        let unit = Some("org.freedesktop.DBus.Properties");
        for path in ["t_2dsimple_2eservice", "t_2dalias_2eservice", "_307070707070707070707070707070707"] {
            let path = format!("/org/freedesktop/systemd1/unit/{path}");
            let body = ("org.freedesktop.systemd1.Unit", "Id");
            let reply =
                connection.call_method(None::<&str>, path.as_str(), unit, "Get", &body).await.expect("an Id");
            let id: OwnedVariant = reply.body().deserialize().expect("a variant");
            assert_eq!(<&str>::try_from(&id).ok(), Some("t-simple.service"), "{path}");
        }
    });
}
