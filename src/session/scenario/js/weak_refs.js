// Of the language: references that keep nothing alive.

part("base").host.addWeakRefs();

return {};
