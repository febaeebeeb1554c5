# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# TPMs for tests: swtpm, a trace of the commands it gets, tpm2-abrmd in front
# of it. Part of lib.sh.
#
# DEVID_TCTI names what programs under test speak to: the TPM, then whatever
# was last put in front of it. TPM2TOOLS_TCTI always names the TPM itself, so
# a test's own tpm2-tools are neither counted nor held up.

SRK_HANDLE=0x81000001
declare -A TPM_PORTS=() TPM_PIDS=()

# start_tpm [--srk] [--ek] [--state FILE] [NAME]: start a new swtpm, its state
# in $WORK/NAME (tpm). --srk puts an ECC P-256 storage key at 0x81000001; --ek
# gives it what its maker would, see manufacture; --state takes a copy of another
# swtpm's tpm2-00.permall. Sets TPM_NAME, TPM_PORT, TPM_PID; exports DEVID_TCTI
# and TPM2TOOLS_TCTI.
start_tpm() {
    local srk='' ek='' state='' i
    while [[ ${1:-} == --* ]]; do
        case $1 in
        --srk) srk=1 ;;
        --ek) ek=1 ;;
        --state)
            state=$2
            shift
            ;;
        esac
        shift
    done
    need swtpm
    TPM_NAME=${1:-tpm}
    mkdir -m 700 "$WORK/$TPM_NAME"
    [[ ! $ek ]] || manufacture "$WORK/$TPM_NAME"
    [[ ! $state ]] ||
        install -m 600 "$state" "$WORK/$TPM_NAME/tpm2-00.permall"
    for ((i = 0; i < 5; i++)); do
        TPM_PORTS[$TPM_NAME]=$(free_port 2)
        if launch_tpm; then
            [[ ! $srk ]] || persist_srk
            return
        fi
    done
    fail "swtpm does not start; see its log"
}

# start_vendor_tpm [NAME]: start_tpm --ek, of the name vendor where none is given.
start_vendor_tpm() {
    start_tpm --ek "${1:-vendor}"
}

# manufacture DIR: into a new swtpm's state put what a vendor does: EKs of
# RSA-2048 (0x81010001) and P-384 (0x81010016), their certificates in NV
# (0x01c00002, 0x01c00016), the issuers in DIR-ca/cert.pem and beside it.
manufacture() {
    local ca=$1-ca
    need swtpm_setup swtpm_localca
    mkdir -m 700 "$ca"
    printf '%s\n' "statedir = $ca" "signingkey = $ca/key.pem" \
        "issuercert = $ca/cert.pem" "certserial = $ca/serial" \
        >"$ca/localca.conf"
    : >"$ca/options"
    printf '%s\n' "create_certs_tool = $(command -v swtpm_localca)" \
        "create_certs_tool_config = $ca/localca.conf" \
        "create_certs_tool_options = $ca/options" >"$ca/setup.conf"
    swtpm_setup --tpm2 --tpmstate "$1" --create-ek-cert --overwrite \
        --config "$ca/setup.conf" >"$ca/setup.log" 2>&1 ||
        fail "swtpm_setup: $(tail -n 3 "$ca/setup.log")"
}

# certify_p256_ek: make the current TPM's EK of P-256, at 0x81010002, and put a
# certificate of it by the vendor of start_tpm --ek in NV, at 0x01c0000a.
certify_p256_ek() {
    local ca=$WORK/$TPM_NAME-ca
    need tpm2_createek openssl
    tpm2_createek -Q -G ecc -c 0x81010002 -f pem -u "$ca/p256.pem"
    # A bare TPM keeps what is not flushed, in one of its three slots.
    tpm2_flushcontext -t
    printf '%s\n' 'basicConstraints = critical, CA:FALSE' \
        'extendedKeyUsage = 2.23.133.8.1' 'keyUsage = critical, keyAgreement' \
        'authorityKeyIdentifier = keyid' \
        'subjectAltName = critical, dirName:tpm' '[tpm]' \
        'a.2.23.133.2.1 = id:00001014' 'b.2.23.133.2.2 = swtpm' \
        'c.2.23.133.2.3 = id:20191023' >"$ca/p256.cnf"
    plain_openssl x509 -new -force_pubkey "$ca/p256.pem" -subj /CN=unknown \
        -CA "$ca/cert.pem" -CAkey "$ca/key.pem" -set_serial 4 -days 3650 \
        -extfile "$ca/p256.cnf" -outform DER -out "$ca/p256.der"
    # As a maker does it: TPM2_Clear leaves it there.
    tpm2_nvdefine -Q -C p -s "$(stat -c %s "$ca/p256.der")" \
        -a 'platformcreate|ppwrite|ppread|ownerread|authread|no_da' 0x01c0000a
    tpm2_nvwrite -Q -C p -i "$ca/p256.der" 0x01c0000a
}

# launch_tpm: run the swtpm of TPM_NAME; false where it found its port taken.
launch_tpm() {
    local port=${TPM_PORTS[$TPM_NAME]}
    spawn "$TPM_NAME" swtpm socket --tpm2 \
        --tpmstate dir="$WORK/$TPM_NAME",mode=0600 \
        --server type=tcp,port="$port",bindaddr=127.0.0.1 \
        --ctrl type=tcp,port=$((port + 1)),bindaddr=127.0.0.1 \
        --flags startup-clear,not-need-init
    TPM_PIDS[$TPM_NAME]=$SPAWNED
    await_port "$SPAWNED" "$port" || return 1
    use_tpm "$TPM_NAME"
}

# use_tpm NAME: make a swtpm started before the current one again, with nothing
# in front of it. Sets what start_tpm sets.
use_tpm() {
    TPM_NAME=$1
    TPM_PORT=${TPM_PORTS[$1]}
    TPM_PID=${TPM_PIDS[$1]}
    export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$TPM_PORT"
    export DEVID_TCTI=$TPM2TOOLS_TCTI
}

# stop_tpm [SIGNAL]: stop the current swtpm; KILL is a power cut.
stop_tpm() {
    halt "$TPM_PID" "${1:-TERM}"
}

# restart_tpm [SIGNAL [COMMAND...]]: stop the current swtpm and start it with the
# same state on the same port, a TPM reset. What stands in front of it stays.
# COMMAND runs in between.
restart_tpm() {
    local front=$DEVID_TCTI
    stop_tpm "${1:-TERM}"
    "${@:2}"
    launch_tpm || fail "swtpm does not start again; see its log"
    export DEVID_TCTI=$front
}

# persist_srk: put an ECC P-256 storage primary of the owner at 0x81000001.
persist_srk() {
    local attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth'
    need tpm2_createprimary
    tpm2_createprimary -Q -C o -g sha256 -G ecc256:null:aes128cfb \
        -a "$attributes|noda|restricted|decrypt" -c "$WORK/srk.context"
    tpm2_evictcontrol -Q -C o -c "$WORK/srk.context" "$SRK_HANDLE"
    # A bare TPM keeps what is not flushed, in one of its three slots.
    tpm2_flushcontext -t
    rm "$WORK/srk.context"
}

# start_trace [--name NAME] [TPM-PROXY OPTION...]: put a tpm-proxy in front of
# what DEVID_TCTI names; DEVID_TCTI then names the proxy. Sets TRACE_LOG
# ($WORK/NAME.commands; NAME: trace), TRACE_FAULTS ($WORK/NAME.faults),
# TRACE_PID. The proxy looks like a bare TPM, so where a resource manager stands
# behind it DEVID_TPM2_SHARING=managed is exported.
start_trace() {
    local name=trace
    if [[ ${1:-} == --name ]]; then
        name=$2
        shift 2
    fi
    TRACE_LOG=$WORK/$name.commands
    TRACE_FAULTS=$WORK/$name.faults
    TRACE_UPSTREAM=$DEVID_TCTI
    rm -f "$WORK/$name.port"
    : >"$TRACE_LOG"
    spawn "$name" "$BUILD_DIR/swtpm-ci/tpm-proxy" --tcti "$DEVID_TCTI" \
        --port-file "$WORK/$name.port" --log "$TRACE_LOG" \
        --faults "$TRACE_FAULTS" "$@"
    TRACE_PID=$SPAWNED
    await "tpm-proxy" "$SPAWNED" test -s "$WORK/$name.port"
    case $DEVID_TCTI in
    tabrmd* | device:/dev/tpmrm*)
        export DEVID_TPM2_SHARING=${DEVID_TPM2_SHARING:-managed}
        ;;
    esac
    DEVID_TCTI="swtpm:host=127.0.0.1,port=$(<"$WORK/$name.port")"
    export DEVID_TCTI
}

# stop_trace: take the proxy of the last start_trace away again. It leaves
# DEVID_TPM2_SHARING, which is still true.
stop_trace() {
    halt "$TRACE_PID"
    export DEVID_TCTI=$TRACE_UPSTREAM
}

# trace_reset: forget the commands so far.
trace_reset() {
    : >"$TRACE_LOG"
}

# trace_count [COMMAND]: print how many commands came since the reset, all or
# those of one name. Failed ones count.
trace_count() {
    awk -v name="${1:-}" 'name == "" || $3 == name { n++ } END { print n + 0 }' \
        "$TRACE_LOG"
}

# trace_list: print the commands since the reset, in one line; a failed one
# with its code: "ReadPublic Load Sign:0x922 Sign FlushContext".
trace_list() {
    awk '{ printf "%s%s%s", sep, $3, $4 == "0x000" ? "" : ":" $4; sep = " " }
        END { print "" }' "$TRACE_LOG"
}

# fault RULE...: from now on the proxy of the last start_trace makes these faults
# and no others. A rule is one argument, "refuse Sign 0x922 times=2"; faults.h
# says what there is.
fault() {
    rm -f "$TRACE_FAULTS.held"
    printf '%s\n' "$@" >"$TRACE_FAULTS.new"
    mv "$TRACE_FAULTS.new" "$TRACE_FAULTS"
}

# fault_clear: the proxy makes no more faults.
fault_clear() {
    rm -f "$TRACE_FAULTS"
}

# fault_holds PID: wait until the proxy holds back a command, as a rule "hold"
# asked for; PID is who sends it.
fault_holds() {
    await "the command to be held back" "$1" test -e "$TRACE_FAULTS.held"
}

# start_abrmd: put tpm2-abrmd, on a private bus, in front of what DEVID_TCTI
# names. Sets ABRMD_PID, BUS_PID; exports DBUS_SESSION_BUS_ADDRESS and
# DEVID_TCTI.
start_abrmd() {
    need dbus-daemon dbus-send tpm2-abrmd
    # Workers that dropped root's rights are clients too: any user may come, and
    # an abstract socket asks for no right to any directory.
    cat >"$WORK/bus.conf" <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:abstract=$WORK/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
EOF
    spawn bus dbus-daemon --nofork --nopidfile --config-file="$WORK/bus.conf"
    BUS_PID=$SPAWNED
    export DBUS_SESSION_BUS_ADDRESS="unix:abstract=$WORK/bus"
    await "dbus-daemon" "$SPAWNED" bus_is_there
    ABRMD_TCTI=$DEVID_TCTI
    launch_abrmd
    export DEVID_TCTI=tabrmd:bus_type=session
}

# launch_abrmd: run tpm2-abrmd on the bus that is there.
launch_abrmd() {
    local options=()
    ((EUID)) || options+=(--allow-root)
    spawn abrmd tpm2-abrmd --session --tcti="$ABRMD_TCTI" "${options[@]}"
    ABRMD_PID=$SPAWNED
    await "tpm2-abrmd on its bus" "$SPAWNED" abrmd_is_there
}

# restart_abrmd [SIGNAL]: stop tpm2-abrmd and start it on the same bus.
restart_abrmd() {
    halt "$ABRMD_PID" "${1:-TERM}"
    launch_abrmd
}

# ask_bus METHOD [ARGUMENT...]: print what the bus itself answers.
ask_bus() {
    local method=$1
    shift
    dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
        "org.freedesktop.DBus.$method" "$@" 2>/dev/null
}

# bus_is_there: whether the private bus answers.
bus_is_there() {
    [[ $(ask_bus GetId) ]]
}

# abrmd_is_there: whether tpm2-abrmd has its name on the bus.
abrmd_is_there() {
    [[ $(ask_bus NameHasOwner string:com.intel.tss2.Tabrmd) == *true ]]
}

# stop_abrmd: stop tpm2-abrmd and its bus; DEVID_TCTI names the TPM again.
stop_abrmd() {
    halt "$ABRMD_PID"
    halt "$BUS_PID"
    unset DBUS_SESSION_BUS_ADDRESS
    export DEVID_TCTI=$TPM2TOOLS_TCTI
}
