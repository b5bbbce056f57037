# Target petlab::torch: the LibTorch of a `torch` wheel or of a LibTorch archive.
#
# LibTorch's own CMake package is not used: with a CUDA build it enables the CUDA language and
# fails on machines without the CUDA toolkit, which is what most users of the wheel have. petlab
# includes no CUDA header, so the shared libraries and the headers are all that it needs.
#
# Looked for in this order: LIBTORCH (variable or environment), CMAKE_PREFIX_PATH, the torch that
# the active Python imports, the project's .venv.
set(PETLAB_TORCH_VERSION 2.13)

function(_petlab_torch_root_of_python python out)
  set(${out} "" PARENT_SCOPE)
  if(python)
    execute_process(
      COMMAND ${python} -c "import importlib.util as u; s=u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')"
      OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(${out} "${root}" PARENT_SCOPE)
  endif()
endfunction()

if(NOT PETLAB_TORCH_ROOT)
  set(_roots ${LIBTORCH} $ENV{LIBTORCH} ${CMAKE_PREFIX_PATH})
  find_program(PETLAB_PYTHON3 NAMES python3 python)
  _petlab_torch_root_of_python("${PETLAB_PYTHON3}" _active)
  _petlab_torch_root_of_python("${CMAKE_SOURCE_DIR}/.venv/bin/python" _venv)
  foreach(_root IN LISTS _roots _active _venv)
    if(EXISTS "${_root}/include/ATen/core/Tensor.h" OR EXISTS "${_root}/include/torch/csrc/api/include/torch/torch.h")
      set(PETLAB_TORCH_ROOT "${_root}" CACHE PATH "Folder that holds LibTorch's include/ and lib/")
      break()
    endif()
  endforeach()
endif()
if(NOT PETLAB_TORCH_ROOT)
  message(FATAL_ERROR "LibTorch ${PETLAB_TORCH_VERSION} was not found: set LIBTORCH to its folder, "
    "activate a Python that has torch==2.13.0, or run `make setup`, which installs it into .venv")
endif()

file(STRINGS "${PETLAB_TORCH_ROOT}/include/torch/headeronly/version.h" _version_lines
     REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
set(_found "")
foreach(_line IN LISTS _version_lines)
  string(REGEX REPLACE ".* ([0-9]+)$" "\\1" _number "${_line}")
  list(APPEND _found ${_number})
endforeach()
list(JOIN _found "." PETLAB_TORCH_FOUND_VERSION)
if(NOT PETLAB_TORCH_FOUND_VERSION MATCHES "^2\\.13\\.")
  message(FATAL_ERROR "${PETLAB_TORCH_ROOT} holds LibTorch '${PETLAB_TORCH_FOUND_VERSION}', "
    "petlab is built and tested with ${PETLAB_TORCH_VERSION}")
endif()
message(STATUS "LibTorch ${PETLAB_TORCH_FOUND_VERSION} in ${PETLAB_TORCH_ROOT}")

add_library(petlab_torch INTERFACE)
add_library(petlab::torch ALIAS petlab_torch)
target_include_directories(petlab_torch SYSTEM INTERFACE
  ${PETLAB_TORCH_ROOT}/include ${PETLAB_TORCH_ROOT}/include/torch/csrc/api/include)
target_compile_definitions(petlab_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
foreach(_name IN ITEMS c10 torch_cpu torch c10_cuda torch_cuda)
  if(EXISTS "${PETLAB_TORCH_ROOT}/lib/lib${_name}.so")
    add_library(petlab_torch_${_name} SHARED IMPORTED GLOBAL)
    set_target_properties(petlab_torch_${_name} PROPERTIES
      IMPORTED_LOCATION "${PETLAB_TORCH_ROOT}/lib/lib${_name}.so")
    list(APPEND _torch_targets petlab_torch_${_name})
  endif()
endforeach()
# --no-as-needed: nothing refers to a symbol of torch_cuda, yet loading it is what registers CUDA.
target_link_libraries(petlab_torch INTERFACE
  -Wl,--push-state,--no-as-needed ${_torch_targets} -Wl,--pop-state)
# The CUDA build finds its own dependencies beside it (nvidia/*/lib) through its RPATH; the linker
# is told not to look for them.
target_link_options(petlab_torch INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs)
