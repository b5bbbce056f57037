# cmake --install build --prefix DIR: the program, the plugins, and the SDK as a CMake
# package with which plugins are built outside the tree (find_package(petlab)).
include(CMakePackageConfigHelpers)
set(PETLAB_PACKAGE_DIR lib/cmake/petlab)

get_property(_plugins GLOBAL PROPERTY PETLAB_PLUGIN_TARGETS)
# Linked as it is installed (plugins likewise, in PetlabPlugin): CMake ends a path that it will replace
# with a separator, and the empty element behind that is the current directory, from where libraries
# would be loaded.
set_target_properties(petlab PROPERTIES
  INSTALL_RPATH "${PETLAB_TORCH_ROOT}/lib" BUILD_WITH_INSTALL_RPATH ON)
install(TARGETS petlab RUNTIME DESTINATION bin)
install(TARGETS ${_plugins} LIBRARY DESTINATION lib/petlab)
# What the program finds beside itself (app/src/places.hpp): protocols, backbone, recipe.
install(DIRECTORY harness/protocols harness/backbones DESTINATION share/petlab/harness)
install(DIRECTORY datasets/icon-home DESTINATION share/petlab/datasets)
# With which `petlab demo` fetches the drawings of the recipe.
install(FILES harness/setup/common.sh harness/setup/npm_package.sh harness/setup/icon_package.sh
  DESTINATION share/petlab/harness/setup)
# What shells and man make of the help of all commands.
foreach(_shell_file bash:completion:bash-completion/completions/petlab zsh:completion:zsh/site-functions/_petlab
    man:man:man/man1/petlab.1)
  string(REPLACE ":" ";" _shell_file ${_shell_file})
  list(GET _shell_file 0 _name)
  list(GET _shell_file 1 _command)
  list(GET _shell_file 2 _place)
  set(_arguments ${_command})
  if(_command STREQUAL completion)
    list(APPEND _arguments ${_name})
  endif()
  set(_made ${CMAKE_BINARY_DIR}/share/${_place})
  get_filename_component(_folder ${_made} DIRECTORY)
  file(MAKE_DIRECTORY ${_folder})
  add_custom_command(OUTPUT ${_made} COMMAND petlab ${_arguments} > ${_made} DEPENDS petlab VERBATIM)
  list(APPEND _shell_files ${_made})
  get_filename_component(_folder ${_place} DIRECTORY)
  install(FILES ${_made} DESTINATION share/${_folder})
endforeach()
add_custom_target(petlab_shell_files ALL DEPENDS ${_shell_files})
install(DIRECTORY harness/sdk/include/ DESTINATION include)
# The header of base that the SDK's own include, and that of the tool by which sources are hashed.
install(FILES harness/base/include/petlab/base/error.hpp harness/base/include/petlab/base/source_text.hpp
  DESTINATION include/petlab/base)
install(FILES harness/cmake/PetlabLibTorch.cmake harness/cmake/PetlabPlugin.cmake
  harness/cmake/PetlabSourceHash.cmake harness/cmake/source_tokens.cpp harness/base/src/source_text.cpp
  DESTINATION ${PETLAB_PACKAGE_DIR})

configure_package_config_file(harness/cmake/petlab-config.cmake.in
  ${CMAKE_BINARY_DIR}/petlab-config.cmake INSTALL_DESTINATION ${PETLAB_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/petlab-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/petlab-config.cmake
  ${CMAKE_BINARY_DIR}/petlab-config-version.cmake DESTINATION ${PETLAB_PACKAGE_DIR})
