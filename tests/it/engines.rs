//! Throw-away containers and engines for tests: labelled, on no published port, gone when dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Runs `docker` and gives its output.
pub fn docker(args: &[&str]) -> String {
    let output = try_docker(args);
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The same, also where it fails.
pub fn try_docker(args: &[&str]) -> Output {
    Command::new("docker").args(args).stdin(Stdio::null()).output().expect("docker runs")
}

/// Sees to it that the demo's images are there.
pub fn images() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/demo-images");
        let status = Command::new(script).stdin(Stdio::null()).status().expect("scripts/demo-images runs");
        assert!(status.success(), "scripts/demo-images failed");
    });
}

/// Containers and a network that go when it is dropped, also when the test failed.
pub struct Sandbox {
    /// The network's name, and the beginning of every other name.
    pub name: String,
}

impl Sandbox {
    /// A network of its own.
    pub fn new(name: &str) -> Self {
        images();
        let name = format!("outgrow-test-{name}-{:08x}", rand::random::<u32>());
        let label = format!("outgrow.sandbox={name}");
        docker(&["network", "create", "--label", "outgrow.test=1", "--label", &label, &name]);
        Self { name }
    }

    /// The name of one of its containers.
    pub fn called(&self, short: &str) -> String {
        format!("{}-{short}", self.name)
    }

    /// Runs a container on the sandbox's network, its short name as alias, and gives its name.
    pub fn run(&self, short: &str, options: &[&str], image: &str, command: &[&str]) -> String {
        let name = self.create(short, options, image, command);
        docker(&["start", &name]);
        name
    }

    /// The same, but does not start it.
    pub fn create(&self, short: &str, options: &[&str], image: &str, command: &[&str]) -> String {
        let name = self.called(short);
        let label = format!("outgrow.sandbox={}", self.name);
        let mut args = vec!["create", "--name", &name, "--network", &self.name, "--network-alias", short];
        args.extend(["--label", "outgrow.test=1", "--label", &label]);
        args.extend(options);
        args.push(image);
        args.extend(command);
        docker(&args);
        name
    }

    /// A container's address on the sandbox's network.
    pub fn address(&self, container: &str) -> String {
        let format = format!("{{{{(index .NetworkSettings.Networks \"{}\").IPAddress}}}}", self.name);
        docker(&["container", "inspect", "-f", &format, container])
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Also those that the code under test made: they carry the sandbox's label or stand on its network.
        for filter in [format!("label=outgrow.sandbox={}", self.name), format!("network={}", self.name)] {
            let found = try_docker(&["ps", "-aq", "--filter", &filter]);
            for id in String::from_utf8_lossy(&found.stdout).split_whitespace() {
                try_docker(&["rm", "-fv", id]);
            }
        }
        try_docker(&["network", "rm", &self.name]);
    }
}

/// Asks again until it is so.
pub fn until(what: &str, seconds: u64, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_secs(seconds), "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A host with its own engine, reached by SSH and TLS: a container of the demo's `host` image.
pub struct Host {
    name: String,
    /// Its address on this machine's network.
    pub address: String,
    folder: tempfile::TempDir,
    /// Its network, if it is alone on it.
    _sandbox: Option<Sandbox>,
}

impl Host {
    /// Starts one on a network of its own; its engine answers.
    pub fn new(name: &str) -> Self {
        let sandbox = Sandbox::new(name);
        let host = Self::beside(&sandbox);
        Self { _sandbox: Some(sandbox), ..host }
    }

    /// Starts one on the sandbox's network.
    pub fn beside(sandbox: &Sandbox) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
        assert!(made.success(), "ssh-keygen failed");
        let public = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
        let variable = format!("SSH_AUTHORIZED_KEY={}", public.trim());
        let mut options = vec!["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--device", "/dev/fuse"];
        options.extend(["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]);
        options.extend(["--security-opt", "systempaths=unconfined", "-v", "/var/lib/docker", "-e", &variable]);
        if docker(&["info", "-f", "{{.CgroupVersion}}"]) == "1" {
            options.extend(["-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw"]);
        }
        let name = sandbox.run("host", &options, "outgrow-demo/host", &[]);
        until(&format!("the engine in {name} answers"), 60, || {
            try_docker(&["exec", &name, "healthy"]).status.success()
        });
        Self { address: sandbox.address(&name), name, folder, _sandbox: None }
    }

    /// The container it is.
    pub fn container(&self) -> String {
        self.name.clone()
    }

    /// An ssh configuration that knows the key, and takes any host key.
    pub fn ssh_config(&self) -> PathBuf {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let text = format!(
            "Host *\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  \
             StrictHostKeyChecking accept-new\n",
            at("key"),
            at("known_hosts")
        );
        let file = self.folder.path().join("ssh_config");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Runs `docker` on the host's own engine.
    pub fn docker(&self, args: &[&str]) -> String {
        let name = self.container();
        let mut all = vec!["exec", &name, "docker"];
        all.extend(args);
        docker(&all)
    }

    /// Makes certificates for its address, lets the engine listen with them, and gives the folder for clients.
    pub fn listen_by_tls(&self) -> String {
        let certs = self.folder.path().join("certs");
        certificates(&certs, &self.address);
        let name = self.container();
        docker(&["cp", certs.to_str().unwrap(), &format!("{name}:/certs")]);
        docker(&["restart", "-t", "5", &name]);
        until(&format!("the engine in {name} answers again"), 60, || {
            try_docker(&["exec", &name, "healthy"]).status.success()
        });
        certs.display().to_string()
    }
}

/// An authority, a server certificate for `name`, a client certificate.
pub fn certificates(folder: &Path, name: &str) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
    std::fs::create_dir_all(folder).unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "test authority");
    let ca_key = KeyPair::generate().unwrap();
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write("ca.pem", ca_cert.pem());
    for (usage, name, prefix) in
        [(ExtendedKeyUsagePurpose::ServerAuth, name, "server-"), (ExtendedKeyUsagePurpose::ClientAuth, "client", "")]
    {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &issuer).unwrap();
        write(&format!("{prefix}cert.pem"), cert.pem());
        write(&format!("{prefix}key.pem"), key.serialize_pem());
    }
}
