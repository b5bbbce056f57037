# petlab_precompile_torch(TARGET [OWN]): LibTorch's headers are parsed once for all targets instead of
# once a source file, which takes more than half of the time to compile one. GCC accepts a precompiled
# header only where the flags are the same; a target with other flags gets its OWN.
option(PETLAB_PRECOMPILE "Parse LibTorch's headers once for all targets" ON)

# -fPIC for programs too: -fPIE would need another precompiled header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE "-fPIC")

if(PETLAB_PRECOMPILE)
  set(_source ${CMAKE_BINARY_DIR}/torch_headers.cpp)
  file(CONFIGURE OUTPUT ${_source} CONTENT "// Carries the precompiled header.\n")
  add_library(petlab_torch_headers OBJECT ${_source})
  target_link_libraries(petlab_torch_headers PRIVATE petlab::torch petlab::warnings)
  target_precompile_headers(petlab_torch_headers PRIVATE <ATen/ATen.h>)
endif()

function(petlab_precompile_torch target)
  if(PETLAB_PRECOMPILE AND "OWN" IN_LIST ARGN)
    target_precompile_headers(${target} PRIVATE <ATen/ATen.h>)
  elseif(PETLAB_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM petlab_torch_headers)
  endif()
endfunction()
