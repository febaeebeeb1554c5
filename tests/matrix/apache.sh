# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# apache2 with each of its models of processes, and lighttpd.

# apache MPM LINE...: an apache2 on $PORT with these lines in its configuration.
apache() {
    local mpm=$1 module modules=/usr/lib/apache2/modules
    shift
    {
        for module in "mpm_$mpm" authz_core dir socache_shmcb ssl proxy proxy_http; do
            echo "LoadModule ${module}_module $modules/mod_$module.so"
        done
        printf '%s\n' "ServerRoot $WORK" "ServerName localhost" \
            "PidFile $WORK/pid" "Mutex file:$WORK default" \
            "ErrorLog $WORK/apache-error.log" "DocumentRoot $WORK/www" \
            "Listen 127.0.0.1:$PORT" "User www-data" "Group www-data" "$@"
    } >"$WORK/apache.conf"
    mkdir "$WORK/www"
    echo served >"$WORK/www/index.html"
    serve apache apache2 -D FOREGROUND -f "$WORK/apache.conf"
}

# apache_https MPM: it as a server.
apache_https() {
    apache "$1" "SSLEngine on" "SSLCertificateFile $CERT" \
        "SSLCertificateKeyFile $KEY" "SSLCACertificateFile $CA" \
        "SSLVerifyClient require" "FallbackResource /index.html"
}

apache_event_as_server() {
    apache_https event
}

apache_prefork_as_server() {
    apache_https prefork
}

apache_private_as_client() {
    call_it_private
    apache_event_as_client
}

apache_event_as_client() {
    apache event "SSLProxyEngine on" \
        "SSLProxyMachineCertificateFile $BOTH" \
        "SSLProxyCACertificateFile $CA" "SSLProxyVerify require" \
        "SSLProxyProtocol TLSv$VERSION" \
        "ProxyPass / https://localhost:$PEER/"
    plain_http | welcomed
}

lighttpd_as_server() {
    mkdir "$WORK/www"
    echo served >"$WORK/www/index.html"
    cat >"$WORK/lighttpd.conf" <<EOF
server.modules = ("mod_openssl")
server.document-root = "$WORK/www"
server.bind = "127.0.0.1"
server.port = $PORT
server.username = "www-data"
server.groupname = "www-data"
index-file.names = ("index.html")
ssl.engine = "enable"
ssl.pemfile = "$CERT"
ssl.privkey = "$KEY"
ssl.verifyclient.ca-file = "$CA"
ssl.verifyclient.activate = "enable"
ssl.verifyclient.enforce = "enable"
ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2")
EOF
    serve lighttpd lighttpd -D -f "$WORK/lighttpd.conf"
}
