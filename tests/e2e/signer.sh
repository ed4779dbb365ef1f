#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# hv-signer by itself: what it refuses to start with and to answer, and that it goes on where it was when it is
# killed between what is durable and the answer that says so.
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-signer
signer=$program
need_program e2e-signer-kill.so
shim=$program
chmod 700 "$work"
keys=$work/keys
socket=$work/socket
pid=

# ask PYTHON: with `ask(op, argument...)`, which gives the answer's code and result, and raises EOFError when the
# connection is closed. Arguments are numbers, bytes, texts and lists of them.
ask() {
	python3 - "$socket" "$1" <<'END'
import socket, struct, sys

def head(major, number):
    for size, form in ((24, None), (1 << 8, '>B'), (1 << 16, '>H'), (1 << 32, '>I')):
        if number < size:
            if form is None:
                return bytes([major << 5 | number])
            return bytes([major << 5 | {'>B': 24, '>H': 25, '>I': 26}[form]]) + struct.pack(form, number)

def encode(item):
    if isinstance(item, int):
        return head(0, item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    return head(4, len(item)) + b''.join(map(encode, item))

def decode(data, at=0):
    major, number = data[at] >> 5, data[at] & 31
    at += 1
    if number >= 24:
        if major == 7:
            raise ValueError('float')
        size = 1 << number - 24
        number, at = int.from_bytes(data[at:at + size], 'big'), at + size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        part = data[at:at + number]
        return (part if major == 2 else part.decode()), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = decode(data, at)
            items.append(item)
        return items, at
    return {20: False, 21: True, 22: None}[number], at

def talk(frame):
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(20)
        line.connect(sys.argv[1])
        try:
            line.sendall(frame)
            data = b''
            while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], 'big'):
                more = line.recv(65536)
                if not more:
                    raise EOFError
                data += more
        except ConnectionError as error:
            raise EOFError from error
    return data[4:]

def ask(operation, *arguments):
    body = encode([1, 7, operation, list(arguments)])
    answer = decode(talk(len(body).to_bytes(4, 'big') + body))[0]
    assert answer[:2] == [1, 7], answer
    return answer[2], answer[3]

def closed(frame):
    try:
        talk(frame)
    except EOFError:
        return True
    return False

def killed(operation, *arguments):
    try:
        ask(operation, *arguments)
    except EOFError:
        return True
    return False

exec(sys.argv[2])
END
}

# start [VARIABLE=VALUE...]: runs the signer and waits until it answers or ends.
start() {
	env "$@" "$signer" --socket "$socket" --keys "$keys" --origin hypernix.org/audit/lab/n1 >"$work/log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$socket" 2>/dev/null && return 0
	done
	cat "$work/log"
	return 1
}
end() { # SIGNAL; sets `status`, that of one which is gone already too
	[ -n "$pid" ] || return 0
	kill "-$1" "$pid" 2>/dev/null
	status=0
	wait "$pid" 2>/dev/null || status=$?
	pid=
}
trap 'end KILL; e2e_clean' EXIT
# refuses STATUS PATTERN OPTION...
refuses() {
	local status=$1 pattern=$2 got=0
	shift 2
	timeout 60 "$signer" "$@" >"$work/out" 2>&1 </dev/null || got=$?
	[ "$got" = "$status" ] && grep -q "$pattern" "$work/out" && return 0
	echo "exit status $got"
	cat "$work/out"
	return 1
}

check "it says what it is" bash -c '"$1" --version | grep -q "^hv-signer " && "$1" --help | grep -q -- --credential-fd' - "$signer"
check "it needs a socket and keys" refuses 64 "give --socket" --keys "$keys"
# begins NAME [VARIABLE=VALUE...]: not through check, whose subshell would lose the process.
begins() {
	local name=$1
	shift
	if start "$@"; then ok "$name"; else not_ok "$name"; fi
}
begins "it starts and makes its keys"
confined() {
	grep -q '^Seccomp:[[:space:]]*2' "/proc/$pid/status" && grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" &&
		grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status"
}
check "a sandbox is around it" confined
check "its files are its own" bash -c '[ "$(find "$1" -type f -perm /077 | wc -l)" = 0 ] && [ "$(stat -c %a "$1")" = 700 ] && [ "$(stat -c %a "$2")" = 660 ]' - "$keys" "$socket"
check "it tells its status" ask '
code, result = ask(1)
assert code == 0 and result[2] == 6 and result[4] == 0 and result[6] == 0 and result[9] == "hypernix.org/audit/lab/n1", result'
check "it seals" ask '
code, result = ask(3, 0, [bytes([i] * 32) for i in range(5)])
assert code == 0 and result[0] == 5 and b"hypernix.org/audit/lab/n1\n5\n" in result[3], result'
check "it does not seal from elsewhere" ask '
code, result = ask(3, 0, [bytes(32)])
assert code == -47 and result[2] == 5, (code, result)'
check "it does not sign what is no claim" ask 'assert ask(2, b"\xa0")[0] == -39'
check "it does not cosign without a trust bundle" ask '
note = ask(3, 5, [])[1][3]
assert ask(4, 0, [], note)[0] == -7'
check "hostile frames are closed" ask '
assert closed(b"\0\0\0\0") and closed(b"\0\1\0\1") and closed(b"\0\0\0\1\xff") and closed(b"\0\0\0\6\x84\1\7\1\x80\0")
assert ask(1)[0] == 0'
check "another signer does not take its socket" refuses 7 "another signer" --socket "$socket" --keys "$work/other"
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work"
	chmod 666 "$socket"
	stranger() {
		PATH=/usr/bin:/bin setpriv --reuid 12345 --clear-groups python3 -c '
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.settimeout(20)
line.connect(sys.argv[1])
assert line.recv(1) == b""' "$socket"
	}
	check "a user whom it does not serve is disconnected" stranger
	chmod 700 "$work"
else
	skip "a user whom it does not serve: only root can become one"
fi
end TERM
check "it ends in order" [ "$status" = 0 ]

# The answer to a seal is the second sendmsg: the first is that of the status.
begins "it starts again" "LD_PRELOAD=$shim" HN_KILL_AT=2
check "it is killed between what is durable and the answer" ask '
assert ask(1)[1][4] == 5
assert killed(3, 5, [bytes([9] * 32)] * 3)'
end KILL
# By SIGKILL, or by the sandbox, which lets it signal nobody.
check "it was a kill" [ "$status" = 137 -o "$status" = 159 ]
begins "the next one starts"
check "and goes on from what was durable" ask '
code, result = ask(3, 5, [bytes([9] * 32)] * 3)
assert code == -47 and result[2] == 8, (code, result)
code, last = ask(3, 8, [])
assert code == 0 and last[0] == 8 and b"\n8\n" in last[3], last
code, result = ask(3, 8, [bytes(32)])
assert code == 0 and result[0] == 9, result'
end KILL

mv "$keys/signer.state" "$work/kept"
check "keys without their state are refused" refuses 13 "has keys, and no state" --socket "$socket" --keys "$keys"
mv "$work/kept" "$keys/signer.state"
check "another log is refused" refuses 13 "this signer serves the log" --socket "$socket" --keys "$keys" --origin hypernix.org/audit/lab/n2
chmod 640 "$keys/audit.key"
check "a key that others may read is refused" refuses 6 "others could have read it" --socket "$socket" --keys "$keys"
chmod 600 "$keys/audit.key"
head -c 32 /dev/urandom >"$work/kek"
with_kek() {
	refuses 6 "another key" --socket "$socket" --keys "$keys" --credential-fd 3 3<"$work/kek"
}
check "another wrapping key is refused" with_kek
# With a wrapping key from elsewhere none lies beside the keys, and it takes the same one to start again.
by_credential() {
	local started=0
	"$signer" --socket "$socket" --keys "$work/wrapped" --credential-fd 3 3<"$work/kek" >"$work/log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$socket" 2>/dev/null && started=1 && break
	done
	[ "$started" = 1 ] && ask 'assert ask(1)[1][0] is False' && [ ! -e "$work/wrapped/kek" ]
}
for name in "a wrapping key comes by a descriptor" "and does so again"; do
	if by_credential; then ok "$name"; else not_ok "$name"; fi
	end TERM
done
check "without it the keys stay shut" refuses 6 "is missing" --socket "$socket" --keys "$work/wrapped"
check "a credential that is no key is refused" refuses 6 "32 bytes" --socket "$socket" --keys "$keys" --credential-fd 0
finish
