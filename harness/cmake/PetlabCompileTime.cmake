# What makes a build from nothing short.
#
# PETLAB_UNITY: eight source files of a target are compiled as one, so that what they include and what
# they instantiate is compiled once. Names in anonymous namespaces are therefore unique in a target.
# Turn it off to see that each file compiles alone, or where one file is changed again and again.
option(PETLAB_UNITY "Compile eight source files of a target as one" ON)
set(CMAKE_UNITY_BUILD ${PETLAB_UNITY})

# petlab_precompile(TARGET KIND): headers of others are parsed once for all targets of a kind instead of
# once a source file, which takes more than half of the time to compile one.
#   plain       the standard library
#   tests       and GoogleTest
#   torch       and LibTorch; each file pays 3 seconds for templates of LibTorch, whether it uses them or not
#   torch_tests all of them
#   own         as torch, for a target with flags of its own: GCC accepts a precompiled header only where
#               the flags are the same
option(PETLAB_PRECOMPILE "Parse headers of libraries once for all targets" ON)

# The same flags everywhere, with LibTorch or without it: -fPIC for programs too, threads, the ABI of
# strings (see PetlabLibTorch.cmake).
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "-fPIC")
add_compile_options(-pthread)
add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=1)

set(PETLAB_STANDARD_HEADERS
  <algorithm> <array> <atomic> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <iomanip>
  <iostream> <limits> <map> <memory> <mutex> <numeric> <optional> <set> <span> <sstream> <stdexcept>
  <string> <string_view> <thread> <tuple> <unordered_map> <utility> <variant> <vector>)

function(petlab_precompiled_headers kind)
  cmake_parse_arguments(H "" "" "HEADERS;LIBS" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/${kind}_headers.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Carries the precompiled header.\n")
  add_library(petlab_${kind}_headers OBJECT ${source})
  target_link_libraries(petlab_${kind}_headers PRIVATE ${H_LIBS} petlab::warnings)
  target_precompile_headers(petlab_${kind}_headers PRIVATE ${H_HEADERS} ${PETLAB_STANDARD_HEADERS})
endfunction()

if(PETLAB_PRECOMPILE)
  petlab_precompiled_headers(plain)
  petlab_precompiled_headers(torch HEADERS <ATen/ATen.h> LIBS petlab::torch)
  if(PETLAB_BUILD_TESTS)
    find_package(GTest REQUIRED)
    petlab_precompiled_headers(tests HEADERS <gmock/gmock.h> <gtest/gtest.h> LIBS GTest::gmock)
    petlab_precompiled_headers(torch_tests
      HEADERS <ATen/ATen.h> <gmock/gmock.h> <gtest/gtest.h> LIBS petlab::torch GTest::gmock)
  endif()
endif()

function(petlab_precompile target kind)
  if(NOT PETLAB_PRECOMPILE)
    return()
  endif()
  if(kind STREQUAL "own")
    target_precompile_headers(${target} PRIVATE <ATen/ATen.h> ${PETLAB_STANDARD_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM petlab_${kind}_headers)
  endif()
endfunction()

# petlab_quick_to_compile(TARGET): -O1 for what computes no result, the program, studies and tests:
# a quarter less to compile. What they call keeps -O3.
function(petlab_quick_to_compile target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
