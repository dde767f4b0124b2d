// Of the language: references that keep nothing alive.

part("core").host.addWeakRefs();
