# How the kernels are built: for real where nvcc is found, and always for the CPU emulation (tests only).
include(CheckLanguage)
set(KFAC_CUDA_ARCHITECTURES "80-real;90a-real;90-virtual" CACHE STRING
    "machine code for sm_80 and sm_90a, PTX for newer chips")
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_ARCHITECTURES ${KFAC_CUDA_ARCHITECTURES})
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)  # loads without a driver, and can then say so
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # a CMake older than this nvcc
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
else()
  message(STATUS "nvcc not found: only the emulated kernels are built")
endif()

set(KFAC_WARNINGS -Wall -Wextra
    -Wno-free-nonheap-object)  # a false alarm of GCC 12 in std::vector
set(KFAC_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)

# Only the functions that the header marks are visible.
function(kfac_hide_symbols target)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,defs -Wl,-z,noexecstack)
endfunction()

# The library of the kernels. A register spill or a warning is an error.
function(kfac_cuda_library target)
  add_library(${target} SHARED ${ARGN})
  kfac_hide_symbols(${target})
  list(JOIN KFAC_CUDA_ARCHITECTURES " " architectures)
  target_compile_definitions(${target} PRIVATE
                             KFAC_BUILD="cuda ${CMAKE_CUDA_COMPILER_VERSION}, ${architectures}")
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v,-warn-spills --resource-usage -Werror=all-warnings
      -Xcompiler=-Wall,-Wextra -lineinfo>
    $<$<COMPILE_LANGUAGE:CXX>:${KFAC_WARNINGS} -Werror>)
endfunction()

# The same sources under the emulation. Only valid in a directory without a CUDA target: the language is a property
# of the source files there.
function(kfac_emulated_library target type)
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX)
  add_library(${target} ${type} ${ARGN})
  kfac_hide_symbols(${target})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/emu)
  target_compile_definitions(${target} PUBLIC CUDA_EMU PRIVATE
                             KFAC_BUILD="emulated, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  target_compile_options(${target} PRIVATE -x c++ ${KFAC_WARNINGS} -Werror -Wno-unknown-pragmas)
  target_link_libraries(${target} PRIVATE fake_cudart)  # streams and graphs are its
endfunction()

# A library that pretends to be the library of this SONAME.
function(kfac_fake_library target soname)
  add_library(${target} SHARED ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${target}.map "${soname} { *; };\n")
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${soname} SUFFIX "" NO_SONAME ON
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fake)
  target_compile_options(${target} PRIVATE ${KFAC_WARNINGS} -Werror)
  target_link_options(${target} PRIVATE -Wl,-soname,${soname}
                      -Wl,--version-script=${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
endfunction()
