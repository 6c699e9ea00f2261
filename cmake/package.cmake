# SPDX-License-Identifier: MIT OR Apache-2.0
# What `cmake --install` puts where, and the Debian package. docs/packaging.md explains it.
include(GNUInstallDirs)
include(cmake/third_party.cmake)

set(PLUMB_MAINTAINER "The Plumb authors <plumb@localhost.localdomain>" CACHE STRING
    "who answers for the package, as Debian writes it")

# The manual and the completions are what the program itself says.
set(said ${PROJECT_BINARY_DIR}/said)
add_custom_command(
  OUTPUT ${said}/complete DEPENDS plumb cmake/ask_program.cmake VERBATIM
  COMMAND ${CMAKE_COMMAND} -DPLUMB=$<TARGET_FILE:plumb> -DTO=${said}
          -P ${PROJECT_SOURCE_DIR}/cmake/ask_program.cmake)
add_custom_target(said ALL DEPENDS ${said}/complete)

set(notices ${PROJECT_BINARY_DIR}/THIRD-PARTY-NOTICES)
set(bill ${PROJECT_BINARY_DIR}/plumb.spdx.json)
write_notices(${notices})
write_bill_of_materials(${bill})

install(TARGETS plumb RUNTIME)
install(DIRECTORY ${said}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${said}/plumb.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME plumb)
install(FILES ${said}/plumb.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md ${notices} ${bill} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
# These Debian has in other places, or under other names.
install(FILES ${said}/plumb.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _plumb
        COMPONENT not_debian)
install(FILES CHANGELOG.md LICENSE-MIT LICENSE-APACHE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT not_debian)
set(debian ${PROJECT_BINARY_DIR}/debian)
file(READ LICENSE-MIT mit)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)\n\n(.*)" mit "${mit}")
set(copyright ${CMAKE_MATCH_1})
string(STRIP "${CMAKE_MATCH_2}" mit)
string(REPLACE "\n\n" "\n.\n" mit "${mit}")
string(REPLACE "\n" "\n " mit "${mit}")
configure_file(cmake/debian_copyright.in ${debian}/copyright @ONLY)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(cmake/debian_changelog.in ${debian}/changelog.Debian @ONLY)
configure_file(CHANGELOG.md ${debian}/changelog COPYONLY)
execute_process(COMMAND gzip -9nfk ${debian}/changelog ${debian}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${debian}/copyright ${debian}/changelog.gz ${debian}/changelog.Debian.gz
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${said}/plumb.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _plumb
        COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME plumb)
set(CPACK_PACKAGE_CONTACT "${PLUMB_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "version control for model weights, without a cloud")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Plumb builds a model, described by a Modelfile or a Kitfile, into an immutable
ModelKit that has the same id on every machine, keeps and sends only what is
new, and moves it through any OCI registry or a directory. Every byte that is
read back is checked.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL Unspecified debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION vcs)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when a registry is first spoken to, so that nothing else needs it: src/host/curl.cc.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, libcurl4")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion")
include(CPack)
