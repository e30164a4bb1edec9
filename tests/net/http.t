#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# HTTP: every way a request ends, told from every other, and what a TLS server shows.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")"/lib.sh

topology
in_ns r sysctl -qw net.ipv4.icmp_ratelimit=0
S=10.77.2.2

# certificate NAME ISSUER SUBJECT SAN FROM TO: PEM of key and certificate in $TMP/NAME.pem; ISSUER may be NAME.
cat >$TMP/ca.cnf <<'END'
[ca]
default_ca = d
[d]
database = /run/scratch/index.txt
new_certs_dir = /run/scratch
rand_serial = yes
default_md = sha256
policy = p
unique_subject = no
copy_extensions = copy
[p]
commonName = supplied
END
: >$TMP/index.txt
certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $TMP/"$1".key -out $TMP/"$1".csr \
		-subj "/CN=$3" -addext "$4" 2>/dev/null
	if [ "$1" = "$2" ]; then self=-selfsign; else self=; fi
	openssl ca -batch -notext -config $TMP/ca.cnf $self -keyfile $TMP/"$2".key -cert $TMP/"$2".crt -in $TMP/"$1".csr \
		-out $TMP/"$1".crt -startdate "$5" -enddate "$6" 2>$TMP/openssl.log || cat $TMP/openssl.log >&2
	cat $TMP/"$1".key $TMP/"$1".crt >$TMP/"$1".pem
}
certificate ca ca 'Test CA' basicConstraints=critical,CA:TRUE 20200101000000Z 20400101000000Z
certificate good ca www.example.test 'subjectAltName=DNS:www.example.test,DNS:*.shop.test,IP:10.77.2.2' 20200101000000Z 20400101000000Z
certificate old ca www.example.test subjectAltName=DNS:www.example.test 20200101000000Z 20210101000000Z
certificate early ca www.example.test subjectAltName=DNS:www.example.test 20390101000000Z 20400101000000Z
certificate self self www.example.test subjectAltName=DNS:www.example.test 20200101000000Z 20400101000000Z

serve s http 0.0.0.0 80
serve s https 0.0.0.0 443 $TMP/good.pem
serve s https 0.0.0.0 444 $TMP/old.pem
serve s https 0.0.0.0 445 $TMP/early.pem
serve s https 0.0.0.0 446 $TMP/self.pem go
serve s tcp reset 0.0.0.0 81
serve s tcp close_after_request 0.0.0.0 82
serve s tcp mute 0.0.0.0 83
serve s tcp reset_after_request 0.0.0.0 84
serve s tcp greet 0.0.0.0 85
serve s tcp echo 0.0.0.0 86
serve s dns 10.77.2.2
CA=$TMP/ca.crt
get() { path=$1; shift; probe c http url="http://$S$path" "$@"; }

get /
has 'a response' result=response stage=done status=200 http_version=1.1 server=test headers.server=test "remote=$S:80" 'local=10\.77\.1\.2:[0-9]*' \
	'body_head=Host: 10.77.2.2\\nGET 0' body_bytes=21 "url=http://$S/"
between 'connect time' connect_ms 0.001 900
between 'time to the first byte' first_byte_ms 0.001 900
lacks 'no TLS' 'tls\..*'
probe c http url=http://www.example.test/x address=$S
has 'a name, sent to an address' result=response 'body_head=Host: www.example.test\\nGET 0'
probe c http url=http://$S/ host=other.test
has 'another Host' result=response 'body_head=Host: other.test\\nGET 0' "remote=$S:80"
probe c http url=http://$S/ host=other.test:8080
has 'with a port' result=response 'body_head=Host: other.test:8080\\nGET 0' "remote=$S:80"
probe c http url=http://$S/ method=DELETE
has 'a method' result=response 'body_head=.*\\nDELETE 0'
probe c http url=http://$S/ body=5000
has 'a body' result=response 'body_head=.*\\nPOST 5000'
probe c http url=http://$S/ method=HEAD
has 'HEAD' result=response status=200 body_bytes=0
http_proxy=http://10.9.9.9:1 probe c http url=http://$S/
has 'no proxy from the environment' result=response "remote=$S:80"
get /fail
has 'a 500 is a response' result=response status=500 server=envoy body_head=oops
get /moved
has 'redirects are not followed' result=response status=302 location=http://elsewhere.test/
get /slow
has 'slow' result=response status=200
between 'its first byte' first_byte_ms 480 1500
get /big
has 'a body is cut' result=response stage=done
between 'at 64 KiB' body_bytes 65536 100000
get /evil
has 'hostile bytes' result=response 'server=a\.\[31mb\.' 'body_head=\.\.z'

get /reset
has 'reset instead of an answer' result=reset stage=first-byte errno=104
get /resetbody
has 'reset in the body' result=reset stage=body status=200
get /close
has 'closed without an answer' result=closed-early stage=first-byte
get /partial
has 'closed in the body' result=closed-early stage=body status=200 body_bytes=3
get /hang timeout=500
has 'no answer' result=timeout stage=first-byte status=0
between 'in time' total_ms 490 900
get /stall timeout=500
has 'a stalled body' result=timeout stage=body status=200
get /garbage
has 'not HTTP' result=bad-protocol stage=done status=0 'body_head=SSH-2\.0.*'
probe c http url=http://$S:85/
has 'a greeting of another protocol, which stays open' result=bad-protocol stage=done 'body_head=220 mail.*'
probe c http url=http://$S:86/
has 'an echo' result=bad-protocol stage=done 'body_head=GET / HTTP.*'
get :9/
has 'refused' result=refused stage=connect errno=111
firewall r forward 'tcp dport 80 drop'
get / timeout=500
has 'silence' result=timeout stage=connect
firewall r forward 'tcp dport 80 reject with icmp host-prohibited'
get /
has 'unreachable' result=unreachable stage=connect errno=113
firewall r forward 'tcp dport 80 meta length > 500 drop'
get / body=30000 timeout=800
has 'a body that does not get through' result=timeout
firewall r

probe c http url=https://www.example.test/ address=$S ca=$CA
has 'TLS' result=response stage=done status=200 tls.subject='CN = www.example.test' tls.issuer='CN = Test CA' \
	'tls.not_after=Jan  1 00:00:00 2040 GMT' tls.names.0=www.example.test tls.names.1='\*\.shop\.test' tls.names.2=10.77.2.2
lacks 'nothing wrong' 'tls\..*error=.*'
between 'its time' tls_ms 0.001 3000
probe c http url=https://$S/ ca=$CA
has 'by address' result=response
probe c http url=https://$S/ host=a.shop.test ca=$CA
has 'the Host is the name in SNI and certificate' result=response 'body_head=Host: a.shop.test.*'
probe c http url=https://bad.test/ address=$S ca=$CA
has 'another name' result=tls-error stage=tls tls.verify_error=name-mismatch tls.names.0=www.example.test status=0
probe c http url=https://www.example.test:444/ address=$S ca=$CA
has 'expired' result=tls-error stage=tls tls.verify_error=expired 'tls.not_after=Jan  1 00:00:00 2021 GMT' 'tls.error=.*certificate has expired'
probe c http url=https://www.example.test:445/ address=$S ca=$CA
has 'not yet valid' result=tls-error tls.verify_error=not-yet-valid 'tls.not_before=Jan  1 00:00:00 2039 GMT'
probe c http url=https://www.example.test:446/ address=$S ca=$CA
has 'self-signed' result=tls-error tls.verify_error=self-signed tls.issuer='CN = www.example.test'
probe c http url=https://www.example.test/ address=$S
has 'an unknown CA' result=tls-error tls.verify_error=unknown-issuer tls.issuer='CN = Test CA'
probe c http url=https://bad.test:444/ address=$S insecure=1
has 'unverified' result=response status=200 'tls.subject=CN = www.example.test'
probe c http url=https://$S:80/ ca=$CA
has 'TLS to a plain port' result=bad-protocol stage=tls mismatch=tls-to-plain
probe c http url=http://$S:443/
has 'plain HTTP to a TLS port that sends an alert' result=bad-protocol mismatch=plain-to-tls
probe c http url=http://$S:446/
has 'or says so' result=response status=400 mismatch=plain-to-tls
probe c http url=https://$S:84/
has 'a reset in the handshake' result=reset stage=tls
probe c http url=https://$S:82/
has 'a close in the handshake' result=closed-early stage=tls
probe c http url=https://$S:83/ timeout=500
has 'a mute handshake' result=timeout stage=tls

probe c http url=ftp://$S/
has 'only HTTP' error=usage 'says="ftp://10.77.2.2/" is not an http or https URL'
probe c http url=https://$S/ ca=/nonexistent
has 'no such CA file' error=usage 'says=cannot use the CA file /nonexistent: error setting certificate file: /nonexistent'

# Names, as the vantage's own files have them.
mkdir -p $TMP/root/etc
echo 'nameserver 10.77.2.2' >$TMP/root/etc/resolv.conf
echo "$S hosts.test" >$TMP/root/etc/hosts
firewall r forward 'ip daddr 10.77.2.9 reject'
probe c http url=http://server.test/ root=$TMP/root
has 'a name, by the second address it has' result=response 'body_head=Host: server.test\\nGET 0' remote=$S:80 lookup.addresses.n=2 lookup.n_queries=2
between 'its time' resolve_ms 0.001 500
firewall r
probe c http url=http://server.test/ host=other.test root=$TMP/root
has 'a name with another Host' result=response 'body_head=Host: other.test\\nGET 0' lookup.name=server.test
probe c http url=https://server.test/ host=www.example.test ca=$CA root=$TMP/root
has 'and with TLS' result=response 'body_head=Host: www.example.test.*'
probe c http url=http://hosts.test/ root=$TMP/root
has 'a name of its hosts file' result=response lookup.from_hosts=true
probe c http url=http://nobody.test/ root=$TMP/root
has 'a name nobody has' result=unresolved stage=resolve status=0 lookup.addresses.n=0
lacks 'nothing was connected to' 'remote=.*'
firewall r forward 'udp dport 53 drop'
probe c http url=http://server.test/ timeout=800 root=$TMP/root
has 'a silent name server' result=unresolved stage=resolve lookup.result=timeout
between 'and gives up in time' total_ms 700 1300
firewall r
finish
