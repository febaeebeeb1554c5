# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What devices and their networks run: mosquitto, openvpn, freeradius and
# wpa_supplicant, rsyslog, unbound, bind9, dnsdist, proftpd, NRPE.

# mosquitto_start [LINE...]: a broker on $PORT with $KEY.
mosquitto_start() {
    printf '%s\n' "listener $PORT 127.0.0.1" "cafile $CA" "certfile $CERT" \
        "keyfile $KEY" "require_certificate true" "allow_anonymous true" \
        "$@" >"$WORK/mosquitto-$PORT.conf"
    serve "mosquitto-$PORT" mosquitto -c "$WORK/mosquitto-$PORT.conf"
}

# mosquitto_say [ARGUMENT...]: mosquitto_pub, with $KEY.
mosquitto_say() {
    timeout 20 mosquitto_pub -h localhost -p "$PORT" --cafile "$CA" \
        --cert "$CERT" --key "$KEY" --tls-version "tlsv$VERSION" \
        -t topic -q 1 -m hello "$@"
}

mosquitto_as_server() {
    mosquitto_start
}

mosquitto_asked() {
    as_peer mosquitto_say
}

mosquitto_as_client() {
    as_peer mosquitto_start
    mosquitto_say -r
    timeout 20 mosquitto_sub -h localhost -p "$PORT" --cafile "$CA" \
        --cert "$CERT" --key "$KEY" --tls-version "tlsv$VERSION" \
        -t topic -C 1 -W 15 | grep -q hello
}

mosquitto_bridge_as_client() {
    local broker=$PORT
    as_peer mosquitto_start
    PORT=$(free_port)
    cat >"$WORK/bridge.conf" <<EOF
listener $PORT 127.0.0.1
allow_anonymous true
connection up
address localhost:$broker
topic topic out 1
bridge_cafile $CA
bridge_certfile $CERT
bridge_keyfile $KEY
bridge_tls_version tlsv$VERSION
EOF
    serve bridge mosquitto -v -c "$WORK/bridge.conf"
    plain mosquitto_pub -h 127.0.0.1 -p "$PORT" -t topic -q 1 -m bridged -r
    PORT=$broker
    plain timeout 20 mosquitto_sub -h localhost -p "$broker" --cafile "$CA" \
        --cert "$SOFT_CERT" --key "$SOFT_KEY" -t topic -C 1 -W 15 |
        grep -q bridged
}

# openvpn_end ROLE NAME [ARGUMENT...]: one end of a tunnel without a device:
# all of it but the packets.
openvpn_end() {
    local role=$1 name=$2
    shift 2
    spawn "$name" setsid openvpn --dev null --proto udp4 --auth-nocache \
        --ifconfig-noexec --route-noexec "--tls-$role" --dh none \
        --cert "$CERT" --key "$KEY" --ca "$CA" --remote-cert-tls \
        "$([[ $role == server ]] && echo client || echo server)" \
        --tls-version-min "$VERSION" --tls-version-max "$VERSION" \
        --cipher AES-256-GCM --verb 3 "$@"
}

# openvpn_meets ROLE PEER_ROLE: openvpn with $KEY as that end, and one with a
# key in software as the other.
openvpn_meets() {
    local one=$PORT two
    two=$(free_port)
    as_peer openvpn_end "$2" peer --bind --local 127.0.0.1 --lport "$two" \
        --remote 127.0.0.1 "$one"
    openvpn_end "$1" openvpn --bind --local 127.0.0.1 --lport "$one" \
        --remote 127.0.0.1 "$two"
    await "the tunnel" "$SPAWNED" \
        grep -q "Initialization Sequence Completed" "$WORK/openvpn.log"
    grep -q "Control Channel: TLSv$VERSION" "$WORK/openvpn.log"
    halt "$SPAWNED"
}

openvpn_as_server() {
    :
}

openvpn_asked() {
    PORT=$(free_port)
    : >"$WORK/openvpn.log"
    openvpn_meets server client
}

openvpn_as_client() {
    openvpn_meets client server
}

# radius: freeradius on $PORT that does EAP-TLS with $KEY, over TLS $1.
radius() {
    local dir=$WORK/raddb
    copy_keys freerad
    mkdir -p "$dir" "$WORK/run"
    cat >"$dir/radiusd.conf" <<EOF
prefix = /usr
logdir = $WORK
run_dir = $WORK/run
raddbdir = $dir
libdir = /usr/lib/freeradius
pidfile = $WORK/run/pid
security {
    user = freerad
    group = freerad
    allow_vulnerable_openssl = yes
}
client local {
    ipaddr = 127.0.0.1
    secret = testing123
}
modules {
    eap {
        default_eap_type = tls
        tls-config common {
            private_key_file = $KEY
            certificate_file = $CERT
            ca_file = $CA
            tls_min_version = "1.2"
            tls_max_version = "$1"
            ecdh_curve = ""
            check_crl = no
        }
        tls {
            tls = common
        }
    }
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = $PORT
    }
    authorize {
        eap
    }
    authenticate {
        eap
    }
}
EOF
    hand_to freerad "$dir" "$WORK/run"
    spawn radius setsid freeradius -f -l stdout -xx -d "$dir"
    await "freeradius" "$SPAWNED" grep -q "Ready to process" "$WORK/radius.log"
}

# eapol_asks: wpa_supplicant's EAP-TLS with $KEY asks freeradius.
eapol_asks() {
    cat >"$WORK/eapol.conf" <<EOF
network={
    key_mgmt=WPA-EAP
    eap=TLS
    identity="peer"
    ca_cert="$CA"
    client_cert="$CERT"
    private_key="$KEY"
    phase1="tls_disable_tlsv1_3=$([[ $VERSION == 1.3 ]]; echo $?)"
}
EOF
    timeout 20 eapol_test -c "$WORK/eapol.conf" -a 127.0.0.1 -p "$PORT" \
        -s testing123 >"$WORK/eapol.log" 2>&1 ||
        fail "$(grep -m 1 -E 'OpenSSL:|FAILURE' "$WORK/eapol.log")"
}

freeradius_as_server() {
    radius 1.3
}

freeradius_asked() {
    as_peer eapol_asks
}

wpa_as_client() {
    as_peer radius "$VERSION"
    eapol_asks
}

wpa_private_as_client() {
    call_it_private
    wpa_as_client
}

# The same key file as DER.
wpa_der_as_client() {
    plain openssl asn1parse -noout -in "$KEY" -out "$WORK/key.der"
    KEY=$WORK/key.der
    wpa_as_client
}

# rsyslog_conf LINE...: an rsyslog that does what the lines say.
rsyslog_conf() {
    cat >"$WORK/rsyslog.conf" <<EOF
global(workDirectory="$WORK" defaultNetstreamDriver="ossl"
    defaultNetstreamDriverCAFile="$CA"
    defaultNetstreamDriverCertFile="$CERT"
    defaultNetstreamDriverKeyFile="$KEY")
EOF
    printf '%s\n' "$@" >>"$WORK/rsyslog.conf"
}

rsyslog_as_server() {
    rsyslog_conf 'module(load="imtcp" streamDriver.name="ossl"
    streamDriver.mode="1" streamDriver.authMode="x509/certvalid")' \
        "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"$PORT\")" \
        "action(type=\"omfile\" file=\"$WORK/messages\")"
    serve rsyslog rsyslogd -n -i "$WORK/pid" -f "$WORK/rsyslog.conf"
}

rsyslog_asked() {
    tell_tls "<13>Jan  1 00:00:00 host tag: over $VERSION\n" ''
    await "the message" "$SPAWNED" grep -q "over $VERSION" "$WORK/messages"
    halt "$TELLER"
}

rsyslog_as_client() {
    local messages
    messages=$(free_port)
    start_sink
    rsyslog_conf 'module(load="imtcp")' \
        "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"$messages\")" \
        "action(type=\"omfile\" file=\"$WORK/messages\")" \
        "action(type=\"omfwd\" target=\"localhost\" port=\"$PORT\"
    protocol=\"tcp\" streamDriver=\"ossl\" streamDriverMode=\"1\"
    streamDriverAuthMode=\"x509/name\"
    streamDriverPermittedPeers=\"localhost\")"
    PORT=$messages serve rsyslog rsyslogd -n -i "$WORK/pid" \
        -f "$WORK/rsyslog.conf"
    echo '<13>Jan  1 00:00:00 host tag: hello' >"/dev/tcp/127.0.0.1/$messages"
    await "the message" "$SPAWNED" sink_has hello
}

unbound_as_server() {
    cat >"$WORK/unbound.conf" <<EOF
server:
    do-daemonize: no
    use-syslog: no
    chroot: ""
    username: "unbound"
    pidfile: ""
    interface: 127.0.0.1@$PORT
    tls-port: $PORT
    tls-service-key: "$KEY"
    tls-service-pem: "$CERT"
    local-data: "here.test. A 127.0.0.9"
remote-control:
    control-enable: no
EOF
    serve unbound unbound -d -c "$WORK/unbound.conf"
}

# A question for here.test's address, as DNS over TCP has it.
unbound_asked() {
    ask_tls '\0000\0033\0022\0064\0001\0000\0000\0001\0000\0000\0000\0000\0000\0000\0004here\0004test\0000\0000\0001\0000\0001' \
        'here.test'
}

bind_as_server() {
    copy_keys bind
    mkdir "$WORK/named"
    hand_to bind "$WORK/named"
    cat >"$WORK/named/named.conf" <<EOF
tls devid {
    key-file "$KEY";
    cert-file "$CERT";
};
options {
    directory "$WORK/named";
    pid-file "$WORK/named/pid";
    session-keyfile "$WORK/named/session.key";
    listen-on port $PORT tls devid { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    dnssec-validation no;
};
controls { };
EOF
    serve named named -g -u bind -n 1 -c "$WORK/named/named.conf"
}

bind_asked() {
    plain dig +tls +tls-ca="$CA" +tls-hostname=localhost -p "$PORT" \
        +timeout=5 +tries=1 @127.0.0.1 version.bind chaos txt | grep -q 'ANSWER: 1'
    ask_tls '' ''
}

dig_as_client() {
    start_sink
    timeout 10 dig +tls +tls-ca="$CA" +tls-hostname=localhost \
        +tls-certfile="$CERT" +tls-keyfile="$KEY" -p "$PORT" +timeout=3 \
        +tries=1 @127.0.0.1 here.test >"$WORK/dig.log" 2>&1 || true
    # The peer is no name server; it got the question through TLS.
    sink_has test || fail "$(tail -n 1 "$WORK/dig.log")"
}

dnsdist_as_server() {
    cat >"$WORK/dnsdist.conf" <<EOF
addTLSLocal("127.0.0.1:$PORT", "$CERT", "$KEY", { provider = "openssl" })
setLocal("127.0.0.1:$(free_port)")
addAction("here.test", SpoofAction("127.0.0.9"))
EOF
    serve dnsdist dnsdist --supervised --disable-syslog -u _dnsdist \
        -g _dnsdist -C "$WORK/dnsdist.conf"
}

dnsdist_asked() {
    unbound_asked
}

proftpd_as_server() {
    cat >"$WORK/proftpd.conf" <<EOF
LoadModule mod_tls.c
ServerName localhost
ServerType standalone
DefaultServer on
UseReverseDNS off
UseIPv6 off
Port $PORT
SocketBindTight on
DefaultAddress 127.0.0.1
User proftpd
Group nogroup
PidFile $WORK/pid
ScoreboardFile $WORK/scoreboard
DelayTable $WORK/delay
SystemLog $WORK/proftpd-system.log
<IfModule mod_tls.c>
TLSEngine on
TLSLog $WORK/tls.log
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile $CERT
TLSRSACertificateKeyFile $KEY
TLSCACertificateFile $CA
TLSVerifyClient on
TLSOptions NoAutoECDH
</IfModule>
EOF
    if [[ $ALGORITHM == ec* ]]; then
        sed -i 's/TLSRSACert/TLSECCert/' "$WORK/proftpd.conf"
    fi
    sed -i '/NoAutoECDH/d' "$WORK/proftpd.conf"
    serve proftpd proftpd --nodaemon --config "$WORK/proftpd.conf"
}

proftpd_asked() {
    ask_tls 'NOOP\r\n' '200 NOOP' -starttls ftp
}

# nrpe_conf: NRPE with $KEY on $PORT.
nrpe_start() {
    copy_keys nagios
    cat >"$WORK/nrpe.cfg" <<EOF
server_address=127.0.0.1
server_port=$PORT
nrpe_user=nagios
nrpe_group=nagios
pid_file=$WORK/nrpe.pid
allowed_hosts=127.0.0.1
ssl_version=TLSv1.2+
ssl_cacert_file=$CA
ssl_cert_file=$CERT
ssl_privatekey_file=$KEY
ssl_client_certs=2
ssl_cipher_list=ALL:@SECLEVEL=2
command[hello]=/bin/echo hello
EOF
    serve nrpe nrpe -f -c "$WORK/nrpe.cfg"
}

nrpe_as_server() {
    nrpe_start
}

nrpe_asked() {
    ask_tls '' ''
}

nrpe_as_client() {
    as_peer nrpe_start
    /usr/lib/nagios/plugins/check_nrpe -H 127.0.0.1 -p "$PORT" -c hello \
        -A "$CA" -C "$CERT" -K "$KEY" -S "TLSv$VERSION" -t 15 |
        grep -q hello
}
