# The plugin in README.md, built and loaded as it stands there: build/lib/petlab-readme/.
file(READ ${CMAKE_SOURCE_DIR}/README.md readme)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/README.md)
string(FIND "${readme}" "```cpp\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "README.md has no block of C++: readme_plugin tests that it works")
endif()
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${readme}" ${begin} -1 readme)
string(FIND "${readme}" "```" end)
string(SUBSTRING "${readme}" 0 ${end} readme)
set(source ${CMAKE_CURRENT_BINARY_DIR}/readme_plugin.cpp)
file(CONFIGURE OUTPUT ${source} CONTENT "${readme}" @ONLY)

add_library(petlab_readme_plugin MODULE ${source})
target_compile_definitions(petlab_readme_plugin PRIVATE
  PETLAB_PLUGIN_NAME="mlp_gain" PETLAB_PLUGIN_VERSION="${PROJECT_VERSION}"
  PETLAB_PLUGIN_SOURCE_HASH="0000000000000000000000000000000000000000000000000000000000000000")
target_link_libraries(petlab_readme_plugin PRIVATE petlab::sdk petlab::warnings)
target_link_options(petlab_readme_plugin PRIVATE LINKER:-z,nodelete LINKER:-z,defs)
set_target_properties(petlab_readme_plugin PROPERTIES PREFIX "" OUTPUT_NAME petlab_mlp_gain
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/petlab-readme)

if(TARGET petlab)
  add_test(NAME readme_plugin
    COMMAND petlab plugins --plugin-dir $<TARGET_FILE_DIR:petlab_readme_plugin>)
  set_tests_properties(readme_plugin PROPERTIES LABELS plugin TIMEOUT 120
    PASS_REGULAR_EXPRESSION "method +mlp-gain: ")
endif()
