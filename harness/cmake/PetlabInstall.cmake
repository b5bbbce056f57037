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
