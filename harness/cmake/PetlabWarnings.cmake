# Warnings for our own targets only; headers of libraries are included as SYSTEM.
#
# They are errors with the compiler that petlab is checked with: another one warns about other
# things, and that shall stop nobody who only wants to run a study.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
  set(_werror ON)
else()
  set(_werror OFF)
endif()
option(PETLAB_WERROR "Warnings are errors" ${_werror})

add_library(petlab_warnings INTERFACE)
add_library(petlab::warnings ALIAS petlab_warnings)
target_compile_options(petlab_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual $<$<BOOL:${PETLAB_WERROR}>:-Werror>)
# GCC 12 sees overlaps and overflows in std::string's operator+ that are not there (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
  target_compile_options(petlab_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
