# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Mail: postfix, dovecot, swaks, fetchmail, mbsync.

# postfix_conf LINE...: a postfix in $WORK/postfix that listens on $PORT and
# keeps what it gets; the lines go to main.cf.
postfix_conf() {
    local dir=$WORK/postfix
    mkdir -p "$dir/queue" "$dir/data"
    hand_to postfix "$dir/data"
    cat >"$dir/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $dir/log
maillog_file_prefixes = $dir
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
multi_instance_name =
multi_instance_enable = no
smtp_tls_loglevel = 1
smtpd_tls_loglevel = 1
default_transport = smtp
import_environment = OPENSSL_CONF SOFTHSM2_CONF MAIL_CONFIG
EOF
    printf '%s\n' "$@" >>"$dir/main.cf"
    {
        echo "127.0.0.1:$PORT inet n - n - - smtpd"
        echo "pickup unix n - n 60 1 pickup"
        echo "cleanup unix n - n - 0 cleanup"
        echo "qmgr unix n - n 300 1 qmgr"
        echo "tlsmgr unix - - n 1000? 1 tlsmgr"
        echo "rewrite unix - - n - - trivial-rewrite"
        echo "bounce unix - - n - 0 bounce"
        echo "defer unix - - n - 0 bounce"
        echo "trace unix - - n - 0 bounce"
        echo "smtp unix - - n - - smtp"
        echo "discard unix - - n - - discard"
        echo "error unix - - n - - error"
        echo "anvil unix - - n - 1 anvil"
        echo "proxymap unix - - n - - proxymap"
        echo "postlog unix-dgram n - n - 1 postlogd"
    } >"$dir/master.cf"
    chmod 755 "$dir"
}

# start_postfix: its master itself, which "postfix start-fg" leaves behind.
start_postfix() {
    postfix -c "$WORK/postfix" check
    serve postfix /usr/lib/postfix/sbin/master -c "$WORK/postfix" -d
}

# postfix_smtpd [LINE...]: it as a server with $KEY.
postfix_smtpd() {
    postfix_conf "smtpd_tls_cert_file = $CERT" "smtpd_tls_key_file = $KEY" \
        "smtpd_tls_CAfile = $CA" "smtpd_tls_security_level = encrypt" \
        "smtpd_tls_req_ccert = yes" "smtpd_recipient_restrictions = permit" \
        "relay_transport = discard" "transport_maps = static:discard:" "$@"
    start_postfix
}

postfix_as_server() {
    postfix_smtpd
}

postfix_asked() {
    ask_tls 'NOOP\r\n' '250 2.0.0 Ok' -starttls smtp
}

postfix_as_client() {
    local log=$WORK/postfix/log front=$PORT
    start_smtp_peer
    PORT=$front
    postfix_conf "smtp_tls_cert_file = $CERT" "smtp_tls_key_file = $KEY" \
        "smtp_tls_CAfile = $CA" "smtp_tls_security_level = verify" \
        "smtp_tls_verify_cert_match = hostname" \
        "smtp_tls_mandatory_protocols = TLSv$VERSION, <=TLSv$VERSION, >=TLSv$VERSION" \
        "smtp_host_lookup = native" "relayhost = localhost:$SMTP_PEER"
    start_postfix
    plain swaks --silent 2 --server "127.0.0.1:$PORT" --from a@localhost \
        --to b@localhost
    await "the mail's delivery" "$SPAWNED" grep -q 'status=' "$log"
    grep -q 'status=sent' "$log" ||
        fail "$(grep -m 1 -E 'status=|warning' "$log")"
}

# start_smtp_peer: a mail server with a key in software that demands a client's
# certificate, on $SMTP_PEER.
start_smtp_peer() {
    SMTP_PEER=$(free_port)
    spawn smtp-peer setsid env OPENSSL_CONF=/dev/null /usr/bin/python3 \
        "$TOP/tests/matrix/scripts/smtp_peer.py" "$SOFT_CERT" "$SOFT_KEY" \
        "$CA" "$SMTP_PEER" "$VERSION"
    await "the mail server" "$SPAWNED" port_is_open "$SMTP_PEER"
}

swaks_as_client() {
    start_smtp_peer
    timeout 30 swaks --server "localhost:$SMTP_PEER" --tls --tls-cert "$CERT" \
        --tls-key "$KEY" --tls-ca-path "$CA" --tls-verify --from a@localhost \
        --to b@localhost --tls-protocol "tlsv${VERSION/./_}"
}

dovecot_as_server() {
    local dir=$WORK/dovecot
    mkdir "$dir"
    cat >"$dir/dovecot.conf" <<EOF
protocols = imap
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
listen = 127.0.0.1
import_environment = OPENSSL_CONF SOFTHSM2_CONF
ssl = required
ssl_cert = <$CERT
ssl_key = <$KEY
ssl_ca = <$CA
ssl_verify_client_cert = yes
auth_ssl_require_client_cert = yes
service imap-login {
    # It loads the key after it has changed its root directory.
    chroot =
    inet_listener imap {
        port = 0
    }
    inet_listener imaps {
        port = $PORT
        ssl = yes
    }
}
passdb {
    driver = static
    args = nopassword=y
}
EOF
    serve dovecot dovecot -F -c "$dir/dovecot.conf"
}

dovecot_asked() {
    ask_tls '' 'OK .*Dovecot'
}

fetchmail_as_client() {
    start_sink
    umask 077
    cat >"$WORK/fetchmailrc" <<EOF
poll localhost protocol imap port $PORT auth external username x
    ssl sslproto tls$VERSION sslcert $CERT sslkey $KEY sslcertfile $CA sslcertck
EOF
    HOME=$WORK FETCHMAILHOME=$WORK timeout 5 fetchmail --pidfile "$WORK/pid" \
        -vvv -f "$WORK/fetchmailrc" >"$WORK/fetchmail.log" 2>&1 || true
    grep -q "TLSv$VERSION" "$WORK/fetchmail.log" ||
        fail "$(tail -n 1 "$WORK/fetchmail.log")"
}
