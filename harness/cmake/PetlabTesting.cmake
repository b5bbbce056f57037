find_package(GTest REQUIRED)

# petlab_add_test(NAME split_tests LABELS unit SOURCES a_test.cpp LIBS petlab::datasets [TIMEOUT 300] [TORCH])
# One GoogleTest program, registered with CTest under its name. TORCH: most of its files include
# LibTorch. The label `levels` is for what is computed by the CPU: tests.sh runs those programs once
# more at each lower CPU level.
function(petlab_add_test)
  cmake_parse_arguments(T "TORCH" "NAME;TIMEOUT" "LABELS;SOURCES;LIBS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME} PRIVATE ${T_LIBS} petlab::warnings GTest::gmock GTest::gtest_main)
  if(T_TORCH)
    petlab_precompile(${T_NAME} torch_tests)
  else()
    petlab_precompile(${T_NAME} tests)
  endif()
  petlab_quick_to_compile(${T_NAME})
  target_compile_definitions(${T_NAME} PRIVATE
    PETLAB_SOURCE_DIR="${CMAKE_SOURCE_DIR}" PETLAB_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${T_NAME} COMMAND ${T_NAME})
  set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT})
endfunction()
