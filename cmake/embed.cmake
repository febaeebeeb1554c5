# SPDX-License-Identifier: Apache-2.0
# Writes C that holds files as bytes: web/live.js as web_live and web_live_len.
# Run as: cmake -DOUTPUT=FILE.c -DFILES=a;b -P embed.cmake
set(text "/* Made of the files below. */\n#include <stddef.h>\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" len)
  math(EXPR len "${len} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text
    "extern const unsigned char web_${name}[];\n"
    "extern const size_t web_${name}_len;\n"
    "const unsigned char web_${name}[] = {${bytes}};\n"
    "const size_t web_${name}_len = ${len};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
