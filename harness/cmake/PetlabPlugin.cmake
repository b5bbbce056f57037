# petlab_add_plugin(NAME coop SOURCES plugin.cpp coop.cpp [LIBS a_library])
#
# Builds build/lib/petlab/petlab_<name>.so: a module that links the SDK (and what it asks for),
# exports one symbol, is never unloaded, and fails at link time when a symbol is
# missing. A hash of its sources is embedded: it is part of the identity of every run.
# The target petlab_plugins builds all of them. Works in petlab's own tree and, by find_package(petlab),
# in any other.
include(${CMAKE_CURRENT_LIST_DIR}/PetlabSourceHash.cmake)
add_custom_target(petlab_plugins)

function(petlab_add_plugin)
  cmake_parse_arguments(P "" "NAME;VERSION" "SOURCES;LIBS" ${ARGN})
  if(NOT P_VERSION)
    set(P_VERSION ${PROJECT_VERSION})
  endif()
  set(target petlab_plugin_${P_NAME})
  add_library(${target} MODULE ${P_SOURCES})
  # Over the folders of its sources as a whole: no header of its own can be left out.
  set(patterns "")
  foreach(source IN LISTS P_SOURCES)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(GET source PARENT_PATH folder)
    list(APPEND patterns ${folder}/*.hpp ${folder}/*.h ${folder}/*.cpp)
  endforeach()
  list(REMOVE_DUPLICATES patterns)
  file(GLOB own CONFIGURE_DEPENDS ${patterns})
  petlab_source_hash(hash ${CMAKE_CURRENT_SOURCE_DIR} ${P_SOURCES} ${own})
  target_compile_definitions(${target} PRIVATE
    PETLAB_PLUGIN_NAME="${P_NAME}" PETLAB_PLUGIN_VERSION="${P_VERSION}"
    PETLAB_PLUGIN_SOURCE_HASH="${hash}")
  target_link_libraries(${target} PRIVATE
    petlab::sdk ${P_LIBS} $<TARGET_NAME_IF_EXISTS:petlab::warnings>)
  if(COMMAND petlab_precompile)
    petlab_precompile(${target} torch)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,-z,defs -Wl,-z,relro -Wl,-z,now)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME petlab_${P_NAME}
    # Not to be replaced when it is installed: see PetlabInstall.cmake.
    INSTALL_RPATH "${PETLAB_TORCH_ROOT}/lib" INSTALL_RPATH_USE_LINK_PATH ON BUILD_WITH_INSTALL_RPATH ON
    # A plugin must never show its symbols to another one.
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/petlab)
  set_property(GLOBAL APPEND PROPERTY PETLAB_PLUGIN_TARGETS ${target})
  add_dependencies(petlab_plugins ${target})
endfunction()
