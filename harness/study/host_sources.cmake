# What identifies the host in a run's identity: a hash over all sources that compute results, whole
# folders of them as the compiler sees them, and whether they are those of a commit. The sources of
# study (who starts a run, and how) and of datasets/tools compute nothing and are no part of it, so that
# changing them repeats no run.
set(folders base/include base/src sdk/include kernels/include kernels/src clip/include clip/src engine/include engine/src)
list(TRANSFORM folders PREPEND ${PROJECT_SOURCE_DIR}/harness/)
list(APPEND folders ${PROJECT_SOURCE_DIR}/datasets/include ${PROJECT_SOURCE_DIR}/datasets/src ${PROJECT_SOURCE_DIR}/datasets/parquet)
set(patterns "")
foreach(folder IN LISTS folders)
  list(APPEND patterns ${folder}/*.hpp ${folder}/*.cpp)
endforeach()
file(GLOB_RECURSE computing_sources CONFIGURE_DEPENDS ${patterns})
petlab_source_hash(host_hash ${PROJECT_SOURCE_DIR} ${computing_sources})

find_package(Git QUIET)
set(host_state unknown)
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} status --porcelain -- harness/base harness/sdk harness/kernels harness/clip harness/engine datasets/include datasets/src datasets/parquet plugins
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE changes ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(host_state clean)
    if(changes)
      set(host_state dirty)
    endif()
    # A commit or a checkout changes the answer without changing a source.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
set_source_files_properties(src/identity.cpp PROPERTIES COMPILE_DEFINITIONS
  "PETLAB_HOST_SOURCE_HASH=\"${host_hash}\";PETLAB_HOST_SOURCE_STATE=\"${host_state}\";PETLAB_VERSION=\"${PROJECT_VERSION}\"")
