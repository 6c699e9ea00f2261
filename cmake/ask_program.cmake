# SPDX-License-Identifier: MIT OR Apache-2.0
# Writes what the program says of itself into the directory TO: pages of the manual under man1/, and
# completions: cmake -DPLUMB=… -DTO=… -P ask_program.cmake
file(REMOVE_RECURSE ${TO})
file(MAKE_DIRECTORY ${TO}/man1)

function(ask file)
  execute_process(COMMAND ${PLUMB} ${ARGN} OUTPUT_FILE ${TO}/${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(shell bash zsh fish)
  ask(plumb.${shell} completion ${shell})
endforeach()

ask(man1/plumb.1 help --man)
execute_process(COMMAND ${PLUMB} help --json OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(JSON verbs LENGTH "${help}" verbs)
math(EXPR last "${verbs} - 1")
foreach(i RANGE ${last})
  string(JSON verb GET "${help}" verbs ${i} name)
  ask(man1/plumb-${verb}.1 help --man ${verb})
  string(JSON alias ERROR_VARIABLE has_none GET "${help}" verbs ${i} alias)
  if(NOT has_none)
    file(CREATE_LINK plumb-${verb}.1.gz ${TO}/man1/plumb-${alias}.1.gz SYMBOLIC)
  endif()
endforeach()
file(GLOB pages ${TO}/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
file(TOUCH ${TO}/complete)
