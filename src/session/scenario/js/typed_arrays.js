// Of the language: lists of numbers of one kind. A dozen classes, which take 17 kilobytes.

host.addTypedArrays();
