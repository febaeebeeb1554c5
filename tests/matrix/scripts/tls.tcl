# SPDX-License-Identifier: Apache-2.0
# Tcl's tls. tls.tcl server|client CERT KEY CA PORT [VERSION]
package require tls
lassign $argv role cert key ca port version
set options [list -certfile $cert -keyfile $key -cafile $ca -require 1]
proc serve {connection host port} {
    fconfigure $connection -translation crlf -blocking 1
    if {[catch {
        tls::handshake $connection
        while {[gets $connection line] > 0} {}
        puts $connection "HTTP/1.0 200 OK\n\nserved"
    } why]} { puts stderr $why }
    catch {close $connection}
}
if {$role eq "server"} {
    tls::socket -server serve -myaddr 127.0.0.1 {*}$options $port
    vwait forever
}
set others [dict get {1.2 {-tls1.3 0} 1.3 {-tls1.2 0 -tls1.3 1}} $version]
set connection [tls::socket {*}$options {*}$others localhost $port]
fconfigure $connection -translation crlf
tls::handshake $connection
puts $connection "GET / HTTP/1.0\n"
flush $connection
puts [read $connection]
