# petlab_source_hash(VARIABLE FOLDER FILE...): SHA-256 over the names of the files in FOLDER and what a
# compiler sees of them: comments and white space do not count. The order of the files does not, either.
# CMake runs again when one of them changes.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/source_text.cpp)
  # Installed: all of it lies in one folder.
  set(_petlab_tokens_sources ${CMAKE_CURRENT_LIST_DIR}/source_tokens.cpp ${CMAKE_CURRENT_LIST_DIR}/source_text.cpp)
  set(_petlab_tokens_include ${CMAKE_CURRENT_LIST_DIR}/../../../include)
else()
  cmake_path(SET _petlab_base NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../base)
  set(_petlab_tokens_sources ${CMAKE_CURRENT_LIST_DIR}/source_tokens.cpp ${_petlab_base}/src/source_text.cpp)
  set(_petlab_tokens_include ${_petlab_base}/include)
endif()
set(PETLAB_SOURCE_TOKENS ${CMAKE_BINARY_DIR}/petlab_source_tokens)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_petlab_tokens_sources})

# Once a configuration: a changed lexer must not go on with the old one.
foreach(_source IN LISTS _petlab_tokens_sources)
  file(SHA256 ${_source} _hash)
  string(APPEND _petlab_tokens_state "${_hash}")
endforeach()
if(NOT EXISTS ${PETLAB_SOURCE_TOKENS} OR NOT "${PETLAB_SOURCE_TOKENS_STATE}" STREQUAL "${_petlab_tokens_state}")
  try_compile(_built ${CMAKE_BINARY_DIR}/CMakeFiles/petlab_source_tokens SOURCES ${_petlab_tokens_sources}
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${_petlab_tokens_include}"
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
    OUTPUT_VARIABLE _said COPY_FILE ${PETLAB_SOURCE_TOKENS})
  if(NOT _built)
    message(FATAL_ERROR "The tool that takes sources apart could not be built:\n${_said}")
  endif()
  set(PETLAB_SOURCE_TOKENS_STATE ${_petlab_tokens_state} CACHE INTERNAL "of what sources petlab_source_tokens is")
endif()

function(petlab_source_hash variable folder)
  set(files "")
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    list(APPEND files ${file})
  endforeach()
  list(REMOVE_DUPLICATES files)
  list(SORT files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/source_tokens)
  execute_process(COMMAND ${PETLAB_SOURCE_TOKENS} ${out} ${folder} ${files} COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${out} hash)
  file(REMOVE ${out})
  set(${variable} ${hash} PARENT_SCOPE)
endfunction()
