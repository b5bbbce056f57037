# petlab_add_plugin(NAME coop SOURCES plugin.cpp coop.cpp [LIBS petlab::clip])
#
# Builds build/lib/petlab/petlab_<name>.so: a module that links the SDK (and libpetlab_clip where it
# asks for it), exports one symbol, is never unloaded, and fails at link time when a symbol is
# missing. A hash of its sources is embedded: it is part of the identity of every run.
# The target petlab_plugins builds all of them. Works in petlab's own tree and, by find_package(petlab),
# in any other.
add_custom_target(petlab_plugins)

function(petlab_add_plugin)
  cmake_parse_arguments(P "" "NAME;VERSION" "SOURCES;LIBS" ${ARGN})
  if(NOT P_VERSION)
    set(P_VERSION ${PROJECT_VERSION})
  endif()
  set(target petlab_plugin_${P_NAME})
  add_library(${target} MODULE ${P_SOURCES})
  petlab_source_hash(hash ${P_SOURCES})
  target_compile_definitions(${target} PRIVATE
    PETLAB_PLUGIN_NAME="${P_NAME}" PETLAB_PLUGIN_VERSION="${P_VERSION}"
    PETLAB_PLUGIN_SOURCE_HASH="${hash}")
  target_link_libraries(${target} PRIVATE
    petlab::sdk ${P_LIBS} $<TARGET_NAME_IF_EXISTS:petlab::warnings>)
  if(COMMAND petlab_precompile_torch)
    petlab_precompile_torch(${target})
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,-z,defs)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME petlab_${P_NAME}
    # A plugin must never show its symbols to another one.
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/petlab)
  set_property(GLOBAL APPEND PROPERTY PETLAB_PLUGIN_TARGETS ${target})
  add_dependencies(petlab_plugins ${target})
endfunction()

# petlab_source_hash(VARIABLE FILE...): SHA-256 over the contents of the files, in the given order.
# Rebuilding unchanged sources gives the same value; CMake runs again when one of them changes.
function(petlab_source_hash variable)
  set(all "")
  foreach(file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    file(SHA256 ${file} one)
    string(APPEND all "${one}\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  endforeach()
  string(SHA256 total "${all}")
  set(${variable} ${total} PARENT_SCOPE)
endfunction()
