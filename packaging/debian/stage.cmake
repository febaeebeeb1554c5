# SPDX-License-Identifier: Apache-2.0
# What Debian wants of a package's files beside what is installed anywhere: runs
# over what cpack has staged of each component, before it packs.
set(debian ${CPACK_DEVID_DEBIAN})
set(packages tool devid provider devid-provider station devid-station dev devid-dev)

function(compress file)
  execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

while(packages)
  list(POP_FRONT packages component name)
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
  set(doc ${root}/usr/share/doc/${name})
  file(COPY ${debian}/copyright DESTINATION ${doc})
  configure_file(${debian}/changelog ${doc}/changelog.Debian @ONLY)
  compress(${doc}/changelog.Debian)
  if(EXISTS ${debian}/${name}/README.Debian)
    file(COPY ${debian}/${name}/README.Debian DESTINATION ${doc})
  endif()
  configure_file(${debian}/lintian-overrides
    ${root}/usr/share/lintian/overrides/${name} COPYONLY)
  file(GLOB_RECURSE pages ${root}/usr/share/man/*)
  foreach(page IN LISTS pages)
    compress(${page})
  endforeach()
  file(GLOB archives ${root}/usr/lib/*/*.a)
  foreach(archive IN LISTS archives)
    execute_process(COMMAND ${CPACK_DEVID_OBJCOPY} --strip-debug
      --enable-deterministic-archives ${archive} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endwhile()

# What an administrator may change.
file(COPY ${CPACK_TEMPORARY_DIRECTORY}/provider/usr/share/devid/openssl.cnf
  DESTINATION ${CPACK_TEMPORARY_DIRECTORY}/provider/etc/devid)
