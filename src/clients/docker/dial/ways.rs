//! The tools that can join standard input and output to a TCP port, and how each is told to.
//!
//! Each says [`CONNECTED`] on standard output first. When the port closes, the tool ends; when our side closes, the
//! other one may still send for ten seconds, so that no connection is left behind in the container.

/// What a tool says when it is connected.
pub(super) const CONNECTED: &[u8; 9] = b"outgrow:\n";
/// The exit code for "this shell is here, the tool is not".
pub(super) const NO_TOOL: i64 = 97;

/// A tool.
pub(super) struct Way {
    pub(super) name: &'static str,
    program: &'static [&'static str],
    script: &'static str,
}

impl Way {
    /// The command line for a port.
    pub(super) fn command(&self, port: u16) -> Vec<String> {
        let script = self.script.replace("PORT", &port.to_string());
        self.program.iter().map(|&part| part.to_owned()).chain([script]).collect()
    }
}

/// In the order they are tried.
pub(super) const ALL: [Way; 4] = [
    Way { name: "bash", program: &["bash", "-c"], script: BASH },
    Way { name: "perl", program: &["perl", "-e"], script: PERL },
    Way { name: "socat", program: &["sh", "-c"], script: SOCAT },
    Way { name: "nc", program: &["sh", "-c"], script: NC },
];

// A background process of bash reads from nowhere unless it is told what to read.
const BASH: &str = r"exec 3<>/dev/tcp/127.0.0.1/PORT || exit 1
exec 4<&0
echo outgrow:
cat <&3 & from=$!
cat <&4 >&3 & to=$!
exec 0<&- 1>&- 3>&- 4<&-
wait -n
if kill -0 $from 2>/dev/null; then
    { sleep 10; kill $from; } 2>/dev/null & late=$!
    wait $from
    kill $late 2>/dev/null
fi
kill $to 2>/dev/null
exit 0";

const PERL: &str = r#"use IO::Socket::INET; $| = 1;
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:PORT", Proto => "tcp") or do { print STDERR $!; exit 1 };
print "outgrow:\n";
my $pid = fork();
sub pump { my ($in, $out) = @_; my $b;
    while (1) { my $n = sysread($in, $b, 131072); my $at = 0;
        if (!defined $n) { next if $! == 4; return } return unless $n;
        while ($at < $n) { my $w = syswrite($out, $b, $n - $at, $at) or return; $at += $w } } }
if (!$pid) { pump(\*STDIN, $s); shutdown($s, 1); exit 0 }
local $SIG{CHLD} = sub { alarm 10 };
local $SIG{ALRM} = sub { exit 0 };
pump($s, \*STDOUT); kill 9, $pid; exit 0"#;

const SOCAT: &str = "command -v socat >/dev/null || exit 97
socat -u /dev/null TCP:127.0.0.1:PORT || exit 1
echo outgrow:
exec socat -t 10 - TCP:127.0.0.1:PORT";

const NC: &str = "command -v nc >/dev/null || exit 97
nc 127.0.0.1 PORT </dev/null >/dev/null || exit 1
echo outgrow:
exec nc 127.0.0.1 PORT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_names_the_port_and_says_when_it_is_there() {
        for way in ALL {
            let command = way.command(5432);
            let script = command.last().unwrap();
            assert!(script.contains("5432") && !script.contains("PORT"), "{}", way.name);
            assert!(script.contains("outgrow:"), "{}", way.name);
        }
    }
}
