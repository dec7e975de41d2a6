"""Print the path of the demo's data: the RAND health insurance experiment, a CSV file inside statsmodels."""

from importlib.resources import files

print(files("statsmodels") / "datasets" / "randhie" / "randhie.csv")
