# SPDX-License-Identifier: Apache-2.0
# One interface target carries warnings, hardening and sanitizers; every target
# of the project links it PRIVATE.
add_library(devid_warnings INTERFACE)

target_compile_options(devid_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
  -Wwrite-strings -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
  -Wimplicit-fallthrough -Wundef -Wvla -Wformat=2 -Wswitch-enum
  -Wnull-dereference -fstack-protector-strong -fno-common
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op>
  $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond>
  $<$<C_COMPILER_ID:GNU>:-Wduplicated-branches>
  $<$<C_COMPILER_ID:GNU>:-Wjump-misses-init>
  $<$<C_COMPILER_ID:Clang>:-Wshorten-64-to-32>
  $<$<C_COMPILER_ID:Clang>:-Wcomma>
  $<$<C_COMPILER_ID:Clang>:-Wconditional-uninitialized>
  $<$<BOOL:${DEVID_WERROR}>:-Werror>)

target_compile_definitions(devid_warnings INTERFACE _GNU_SOURCE)
target_link_options(devid_warnings INTERFACE
  -Wl,-z,relro,-z,now,-z,noexecstack)

if(DEVID_SANITIZE)
  target_compile_options(devid_warnings INTERFACE
    -fsanitize=${DEVID_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(devid_warnings INTERFACE -fsanitize=${DEVID_SANITIZE})
else()
  target_compile_definitions(devid_warnings INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()

if(DEVID_FUZZ)
  # So that the fuzzer sees which ways through the code it has found.
  target_compile_options(devid_warnings INTERFACE -fsanitize=fuzzer-no-link)
endif()
