/** Files that are read and written with care: regular files only, whole or not at all. */
package io.github.kfac4j.files;
