# SPDX-License-Identifier: MIT OR Apache-2.0
# Other people's software in the program: what is compiled in, what is linked when it starts, what is
# loaded when it is wanted. Versions and licence texts are those of the Debian packages that are installed
# where it is built; tests/package/bill.py compares the list with the program.

set(third_parties "")
# third_party(HOW PACKAGE NAME LICENCE): HOW is the relationship in the words of SPDX.
macro(third_party how package name licence)
  list(APPEND third_parties ${package})
  set(${package}_how ${how})
  set(${package}_name "${name}")
  set(${package}_licence "${licence}")
endmacro()
third_party(STATIC_LINK librust-blake3-dev BLAKE3 "CC0-1.0 OR Apache-2.0")
third_party(STATIC_LINK libcli11-dev CLI11 BSD-3-Clause)
third_party(STATIC_LINK libexpected-dev tl-expected CC0-1.0)
third_party(STATIC_LINK nlohmann-json3-dev "JSON for Modern C++" MIT)
third_party(STATIC_LINK libtomlplusplus-dev toml++ MIT)
third_party(DYNAMIC_LINK libc6 "GNU C Library" LGPL-2.1-or-later)
third_party(DYNAMIC_LINK libgcc-s1 "GCC run-time library" "GPL-3.0-or-later WITH GCC-exception-3.1")
third_party(DYNAMIC_LINK libsqlite3-0 SQLite blessing)
third_party(DYNAMIC_LINK libssl3 OpenSSL Apache-2.0)
third_party(DYNAMIC_LINK libstdc++6 "GNU C++ Library" "GPL-3.0-or-later WITH GCC-exception-3.1")
third_party(DYNAMIC_LINK libyaml-0-2 LibYAML MIT)
third_party(DYNAMIC_LINK libzstd1 Zstandard "BSD-3-Clause OR GPL-2.0-only")
third_party(DYNAMIC_LINK zlib1g zlib Zlib)
third_party(OPTIONAL_DEPENDENCY_OF libcurl4 curl curl)

# Sets PACKAGE_version, PACKAGE_source and PACKAGE_source_version of each that dpkg knows.
execute_process(COMMAND dpkg-query -W -f "\${Package} \${Version} \${source:Package} \${source:Version}\n"
                        ${third_parties} OUTPUT_VARIABLE known ERROR_QUIET RESULT_VARIABLE ignored)
string(REGEX MATCHALL "[^\n]+" known "${known}")
foreach(line ${known})
  separate_arguments(line)
  list(POP_FRONT line package)
  list(GET line 0 ${package}_version)
  list(GET line 1 ${package}_source)
  list(GET line 2 ${package}_source_version)
endforeach()

# The licences of what is compiled in, with their texts.
function(write_notices file)
  string(CONCAT text "The program plumb contains the software named here. The texts are those that Debian's\n"
         "packages of it carry, from which it was built.\n")
  foreach(package ${third_parties})
    if(NOT ${package}_how STREQUAL STATIC_LINK)
      continue()
    endif()
    string(APPEND text "\n==== ${${package}_name} (${package} ${${package}_version}): ${${package}_licence}\n\n")
    set(copyright /usr/share/doc/${package}/copyright)
    if(EXISTS ${copyright})
      file(READ ${copyright} licence)
      string(APPEND text "${licence}")
    else()
      string(APPEND text "${copyright} was not there when plumb was built.\n")
    endif()
  endforeach()
  # Debian's own texts name this one by its place.
  set(cc0 /usr/share/common-licenses/CC0-1.0)
  if(EXISTS ${cc0})
    file(READ ${cc0} licence)
    string(APPEND text "\n==== CC0-1.0\n\n${licence}")
  endif()
  file(WRITE ${file} "${text}")
endfunction()

# One package in the words of SPDX 2.3.
function(spdx_package out id name version licence copyright origin)
  set(${out} "    {
      \"SPDXID\": \"SPDXRef-${id}\",
      \"name\": \"${name}\",
      \"versionInfo\": \"${version}\",
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"${licence}\",
      \"licenseDeclared\": \"${licence}\",
      \"copyrightText\": \"${copyright}\"${origin}
    }" PARENT_SCOPE)
endfunction()

# An SPDX 2.3 document of the program and of all it is made of.
function(write_bill_of_materials file)
  file(STRINGS LICENSE-MIT copyright REGEX "^Copyright")
  spdx_package(packages plumb plumb ${PROJECT_VERSION} "MIT OR Apache-2.0" "${copyright}" "")
  string(CONCAT relations "    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", "
         "\"relatedSpdxElement\": \"SPDXRef-plumb\"}")
  foreach(package ${third_parties})
    set(version NOASSERTION)
    set(origin "")
    if(${package}_source)
      set(version ${${package}_source_version})
      string(REPLACE "+" "%2B" purl "${${package}_source}@${version}")
      string(REPLACE ":" "%3A" purl "${purl}")
      string(CONCAT origin ",\n      \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", "
             "\"referenceType\": \"purl\", "
             "\"referenceLocator\": \"pkg:deb/debian/${purl}?arch=source\"}]")
    endif()
    string(REGEX REPLACE "[^A-Za-z0-9.-]" "-" id ${package})
    spdx_package(entry ${id} "${${package}_name}" "${version}" "${${package}_licence}" NOASSERTION "${origin}")
    string(APPEND packages ",\n${entry}")
    set(from SPDXRef-plumb)
    set(to SPDXRef-${id})
    if(${package}_how MATCHES _OF$)
      set(from SPDXRef-${id})
      set(to SPDXRef-plumb)
    endif()
    string(APPEND relations ",\n    {\"spdxElementId\": \"${from}\", "
           "\"relationshipType\": \"${${package}_how}\", \"relatedSpdxElement\": \"${to}\"}")
  endforeach()
  string(TIMESTAMP created "%Y-%m-%dT%H:%M:%SZ" UTC)
  # Different for different contents, as SPDX asks, and the same for the same.
  string(UUID uuid NAMESPACE 6ba7b811-9dad-11d1-80b4-00c04fd430c8 NAME "${created}${packages}" TYPE SHA1)
  file(WRITE ${file} "{
  \"spdxVersion\": \"SPDX-2.3\",
  \"dataLicense\": \"CC0-1.0\",
  \"SPDXID\": \"SPDXRef-DOCUMENT\",
  \"name\": \"plumb-${PROJECT_VERSION}\",
  \"documentNamespace\": \"https://spdx.org/spdxdocs/plumb-${PROJECT_VERSION}-${uuid}\",
  \"creationInfo\": {\"created\": \"${created}\", \"creators\": [\"Organization: The Plumb authors\"]},
  \"packages\": [
${packages}
  ],
  \"relationships\": [
${relations}
  ]
}
")
endfunction()
