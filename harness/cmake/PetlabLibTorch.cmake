# Target petlab::torch: the LibTorch of a `torch` wheel or of a LibTorch archive.
#
# LibTorch's own CMake package is not used: with a CUDA build it enables the CUDA language and
# fails on machines without the CUDA toolkit, which is what most users of the wheel have. petlab
# includes no CUDA header, so the shared libraries and the headers are all that it needs.
#
# PETLAB_TORCH_ROOT names the folder with include/ and lib/. When it is not set, the set-up script
# finds it: LIBTORCH, CMAKE_PREFIX_PATH, the torch of the active Python, the project's .venv.
set(PETLAB_TORCH_VERSION 2.13)

if(NOT PETLAB_TORCH_ROOT)
  list(JOIN CMAKE_PREFIX_PATH ":" _prefixes)
  set(_environment "")
  if(_prefixes)
    list(APPEND _environment "CMAKE_PREFIX_PATH=${_prefixes}")
  endif()
  if(LIBTORCH)
    list(APPEND _environment "LIBTORCH=${LIBTORCH}")
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env ${_environment}
            bash ${CMAKE_SOURCE_DIR}/harness/setup/libtorch.sh --find
    OUTPUT_VARIABLE _root OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_VARIABLE _said ERROR_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE _status)
  if(NOT _status EQUAL 0)
    message(FATAL_ERROR "${_said}")
  endif()
  set(PETLAB_TORCH_ROOT "${_root}" CACHE PATH "Folder that holds LibTorch's include/ and lib/")
endif()

# The version from the header: a folder that moved or changed since is found out here.
set(_version_header "${PETLAB_TORCH_ROOT}/include/torch/headeronly/version.h")
set(PETLAB_TORCH_FOUND_VERSION "")
if(EXISTS "${_version_header}")
  file(STRINGS "${_version_header}" _lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  list(TRANSFORM _lines REPLACE ".* ([0-9]+)$" "\\1")
  list(JOIN _lines "." PETLAB_TORCH_FOUND_VERSION)
endif()
if(NOT PETLAB_TORCH_FOUND_VERSION MATCHES "^2\\.13\\.")
  message(FATAL_ERROR "${PETLAB_TORCH_ROOT} holds LibTorch '${PETLAB_TORCH_FOUND_VERSION}', but "
    "petlab is built and tested with ${PETLAB_TORCH_VERSION}; name another folder with "
    "-DPETLAB_TORCH_ROOT=FOLDER")
endif()
message(STATUS "LibTorch ${PETLAB_TORCH_FOUND_VERSION} in ${PETLAB_TORCH_ROOT}")

add_library(petlab_torch INTERFACE)
add_library(petlab::torch ALIAS petlab_torch)
target_include_directories(petlab_torch SYSTEM INTERFACE
  ${PETLAB_TORCH_ROOT}/include ${PETLAB_TORCH_ROOT}/include/torch/csrc/api/include)
# Wheels since 2.7 use libstdc++'s C++11 strings; 2.13's headers need C++20 to be complete.
target_compile_definitions(petlab_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_compile_features(petlab_torch INTERFACE cxx_std_20)
# Every target has threads then, and with them the same flags (see PetlabCompileTime.cmake).
target_link_libraries(petlab_torch INTERFACE Threads::Threads)

# --no-as-needed: nothing refers to a symbol of torch_cuda, yet loading it is what registers CUDA.
# A link feature, since CMake may reorder or merge bare flags among libraries.
set(CMAKE_LINK_LIBRARY_USING_petlab_always_needed
    "LINKER:--push-state,--no-as-needed" "<LINK_ITEM>" "LINKER:--pop-state")
set(CMAKE_LINK_LIBRARY_USING_petlab_always_needed_SUPPORTED TRUE)
foreach(_name IN ITEMS torch torch_cpu torch_cuda c10 c10_cuda)
  set(_library "${PETLAB_TORCH_ROOT}/lib/lib${_name}.so")
  if(EXISTS "${_library}")
    add_library(petlab_torch_${_name} SHARED IMPORTED GLOBAL)
    set_target_properties(petlab_torch_${_name} PROPERTIES IMPORTED_LOCATION "${_library}")
    target_link_libraries(petlab_torch INTERFACE
      $<LINK_LIBRARY:petlab_always_needed,petlab_torch_${_name}>)
  elseif(NOT _name MATCHES "cuda")
    message(FATAL_ERROR "${PETLAB_TORCH_ROOT} has no lib/lib${_name}.so; this LibTorch is not whole")
  endif()
endforeach()
# A CUDA build finds what it needs beside itself (nvidia/*/lib) through its own RPATH, at run time;
# the linker, which does not follow that, is told not to look.
target_link_options(petlab_torch INTERFACE LINKER:--unresolved-symbols=ignore-in-shared-libs)

# petlab::openmp: at::parallel_for is a template of LibTorch's headers that uses its threads only where
# it is compiled for OpenMP. The run-time library must be the one that LibTorch itself loads: a second
# one would bring threads of its own. Wheels carry it; other builds take the system's.
add_library(petlab_openmp INTERFACE)
add_library(petlab::openmp ALIAS petlab_openmp)
target_compile_options(petlab_openmp INTERFACE -fopenmp)
file(GLOB _gomp "${PETLAB_TORCH_ROOT}/lib/libgomp*.so*")
if(_gomp)
  list(GET _gomp 0 _gomp)
  target_link_libraries(petlab_openmp INTERFACE "${_gomp}")
else()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  target_link_libraries(petlab_openmp INTERFACE OpenMP::OpenMP_CXX)
endif()
