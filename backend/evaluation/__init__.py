"""How good results are: the judge, the metrics, the evaluation of the pocket prior."""
