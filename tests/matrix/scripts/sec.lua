-- SPDX-License-Identifier: Apache-2.0
-- LuaSec. sec.lua server|client CERT KEY CA PORT [VERSION]
local socket = require("socket")
local ssl = require("ssl")

local role, cert, key, ca, port, version = table.unpack(arg)
local context = assert(ssl.newcontext({
    mode = role,
    protocol = version and "tlsv" .. version:gsub("%.", "_") or "any",
    certificate = cert,
    key = key,
    cafile = ca,
    verify = { "peer", "fail_if_no_peer_cert" },
}))
if role == "server" then
    local listener = assert(socket.bind("127.0.0.1", tonumber(port)))
    while true do
        local connection = ssl.wrap(assert(listener:accept()), context)
        if connection:dohandshake() then
            repeat local line = connection:receive() until not line or line == ""
            connection:send("HTTP/1.0 200 OK\r\n\r\nserved\n")
        end
        connection:close()
    end
end
local tcp = assert(socket.connect("127.0.0.1", tonumber(port)))
local connection = assert(ssl.wrap(tcp, context))
assert(connection:dohandshake())
connection:send("GET / HTTP/1.0\r\n\r\n")
local all, _, part = connection:receive("*a")
print(all or part)
